import { createCipheriv, createHash } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const WORDS = ["const", "function", "return", "export", "import", "lorem", "ipsum", "{", "}", ";\n", "=>"];
const MEBIBYTE = 1024 * 1024;

/** 20,000 source-like files of 0.2 to 9 kB, the same on every machine, in 1,400 folders. Made once. */
export function manyFiles(folder) {
  if (existsSync(join(folder, ".complete"))) return folder;
  const next = generator("many files");
  for (let number = 0; number < 20_000; number++) {
    const place = join(folder, `d${number % 200}`, `e${number % 7}`);
    mkdirSync(place, { recursive: true });
    const words = Array.from({ length: 50 + (next() % 1450) }, () => WORDS[next() % WORDS.length]);
    writeFileSync(join(place, `f${number}.js`), words.join(" "));
  }
  writeFileSync(join(folder, ".complete"), "");
  return folder;
}

/** 600 MB in two files: half can't be compressed, half compresses about as programs do. Made once. */
export function bigFiles(folder) {
  if (existsSync(join(folder, ".complete"))) return folder;
  mkdirSync(folder, { recursive: true });
  const random = keyStream("big files");
  for (let part = 0; part < 300; part++) {
    writeFileSync(join(folder, "random.bin"), random(MEBIBYTE), { flag: "a" });
    writeFileSync(join(folder, "program.bin"), programLike(random(MEBIBYTE)), { flag: "a" });
  }
  writeFileSync(join(folder, ".complete"), "");
  return folder;
}

/** Three quarters of the bytes are runs, which gzip brings to 36 %, as it does the node program. */
function programLike(bytes) {
  for (let at = 0; at < bytes.length; at += 8) {
    const repeated = bytes[at] & 0x0f;
    bytes.fill(repeated, at + 1, at + 7);
  }
  return bytes;
}

/** Bytes that look random and are the same everywhere: an AES key stream. */
function keyStream(seed) {
  const key = createHash("sha256").update(seed).digest();
  const cipher = createCipheriv("aes-256-ctr", key, Buffer.alloc(16));
  return (length) => cipher.update(Buffer.alloc(length));
}

function generator(seed) {
  const bytes = keyStream(seed);
  let pool = bytes(MEBIBYTE);
  let at = 0;
  return () => {
    if (at === pool.length) {
      pool = bytes(MEBIBYTE);
      at = 0;
    }
    at += 4;
    return pool.readUInt32LE(at - 4);
  };
}
