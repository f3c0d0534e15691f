// unpack ROOT DIFFID: makes sure that the layer is unpacked, and tells the inode of its folder.
import { statSync } from "node:fs";
import { parseDigest } from "../../../src/oci/digest.ts";
import { Store } from "../../../src/store/index.ts";

const [root = "", diffId = ""] = process.argv.slice(2);
await using store = await Store.open(root);
const path = await store.layers.ensureSnapshot(parseDigest(diffId));
console.log(`unpacked ${statSync(path).ino}`);
