// count ROOT FILE TIMES: adds one to the number in FILE so many times, each under the lock, without any other care.
import { readFile, writeFile } from "node:fs/promises";
import { Store } from "../../../src/store/index.ts";

const [root = "", file = "", times = "0"] = process.argv.slice(2);
const store = await Store.open(root);
for (let i = 0; i < Number(times); i++) {
  await store.withLease("count", async () => {
    const before = Number(await readFile(file, "utf8"));
    await writeFile(file, String(before + 1));
  });
}
await store.close();
