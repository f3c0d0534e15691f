export { requireZstd } from "./zstd.ts";
