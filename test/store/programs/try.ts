// try ROOT: opens the store, stores a blob, and writes as JSON what kept it from that.
import { StrakeError } from "../../../src/errors.ts";
import { Store } from "../../../src/store/index.ts";

const [root = ""] = process.argv.slice(2);
try {
  await using store = await Store.open(root);
  const { digest } = await store.blobs.putBytes(Buffer.from("hello"), "text/plain");
  await store.images.put({
    reference: "docker.io/library/tried:latest",
    imageId: digest,
    platform: { os: "linux", architecture: "amd64" },
    createdAt: "2024-01-01T00:00:00Z",
  });
  console.log(JSON.stringify({ digest }));
} catch (error) {
  if (!(error instanceof StrakeError)) throw error;
  const { code, message, hint } = error;
  console.log(JSON.stringify({ code, message, hint }));
}
