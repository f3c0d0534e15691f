// hold-lock ROOT NAME MODE: takes the lock, says so, and holds it until told "release" (or killed).
import { createInterface } from "node:readline";
import { Store } from "../../../src/store/index.ts";

const [root = "", name = "", mode = "exclusive"] = process.argv.slice(2);
const store = await Store.open(root);
console.log("waiting");
const lease = await store.acquireLock(name, { mode: mode === "shared" ? "shared" : "exclusive" });
console.log("held");
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "release") break;
}
lease.release();
console.log("released");
await store.close();
