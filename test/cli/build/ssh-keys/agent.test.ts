import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { parseSshAgent } from "../../../../src/cli/build/ssh-agents.ts";
import { mpint, string, uint32, WireReader } from "../../../../src/cli/build/ssh-keys/wire.ts";

const hasSsh = spawnSync("ssh-add", ["-h"]).error === undefined;
let folder: string;
const cleanUps: (() => void)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "strake-keys-"));
});

afterAll(async () => {
  for (const cleanUp of cleanUps) cleanUp();
  await rm(folder, { recursive: true, force: true });
});

function makeKey(name: string, ...args: readonly string[]): string {
  const path = join(folder, name);
  execFileSync("ssh-keygen", ["-q", "-N", "", "-C", name, "-f", path, ...args]);
  return path;
}

const offer = async (...paths: readonly string[]): Promise<string> =>
  (
    await parseSshAgent(`id=${paths.join(",")}`, {
      cwd: folder,
      defaultSocket: undefined,
      atExit: (cleanUp) => cleanUps.push(cleanUp),
    })
  ).socketPath;

describe.skipIf(!hasSsh)(`--ssh ID=KEY${hasSsh ? "" : " (skipped: needs ssh-keygen and ssh-add)"}`, () => {
  const kinds: readonly (readonly [string, readonly string[]])[] = [
    ["ed25519", ["-t", "ed25519"]],
    ["rsa", ["-t", "rsa", "-b", "2048"]],
    ["rsa-pem", ["-t", "rsa", "-b", "2048", "-m", "PEM"]],
    ["rsa-pkcs8", ["-t", "rsa", "-b", "2048", "-m", "PKCS8"]],
    ["ecdsa-256", ["-t", "ecdsa", "-b", "256"]],
    ["ecdsa-384", ["-t", "ecdsa", "-b", "384"]],
    ["ecdsa-521", ["-t", "ecdsa", "-b", "521"]],
    ["ecdsa-pem", ["-t", "ecdsa", "-b", "256", "-m", "PEM"]],
  ];

  it.each(kinds)("offers %s keys, whose signatures ssh-add finds good", async (name, args) => {
    const path = makeKey(name, ...args);
    const socket = await offer(path);
    const publicKey = await readFile(`${path}.pub`, "utf8");
    expect((await listed(socket)).map((key) => key.toString("base64"))).toEqual([publicKey.split(" ")[1]]);
    // Signs something with each key and checks it against the public one.
    const tested = await runSshAdd(socket, "-T", `${path}.pub`);
    expect(tested).toMatchObject({ code: 0 });
  });

  it("offers several keys, and signs with none that it does not have", async () => {
    const [one, two] = [makeKey("one", "-t", "ed25519"), makeKey("two", "-t", "ed25519")];
    const other = makeKey("other", "-t", "ed25519");
    const socket = await offer(one, two);
    expect(await listed(socket)).toHaveLength(2);
    expect((await runSshAdd(socket, "-T", `${other}.pub`)).code).not.toBe(0);
  });

  it("takes no keys from others", async () => {
    const socket = await offer(makeKey("mine", "-t", "ed25519"));
    expect((await runSshAdd(socket, makeKey("theirs", "-t", "ed25519"))).code).not.toBe(0);
    expect((await runSshAdd(socket, "-D")).code).not.toBe(0);
    expect(await listed(socket)).toHaveLength(1);
  });

  it("refuses a key with a passphrase, a public key, and what is none", async () => {
    const locked = join(folder, "locked");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "secret", "-f", locked]);
    await expect(offer(locked)).rejects.toMatchObject({
      message: expect.stringContaining("it has a passphrase"),
      hint: expect.stringContaining("ssh-add"),
    });
    const pem = join(folder, "locked.pem");
    execFileSync("ssh-keygen", ["-q", "-t", "rsa", "-m", "PEM", "-N", "secret", "-f", pem]);
    await expect(offer(pem)).rejects.toThrow("it has a passphrase");
    await expect(offer(`${locked}.pub`)).rejects.toThrow("it is a public key");
    await writeFile(join(folder, "text"), "hello");
    await expect(offer(join(folder, "text"))).rejects.toThrow("it is no private key");
    const damaged = (await readFile(makeKey("whole", "-t", "ed25519"), "utf8")).replace(/\n.{40}/, "\n");
    await writeFile(join(folder, "damaged"), damaged);
    await expect(offer(join(folder, "damaged"))).rejects.toThrow("cannot be read as a private key");
    await expect(offer(join(folder, "nowhere"))).rejects.toThrow("is not there");
  });

  it("hangs up on a client that talks nonsense", async () => {
    const socket = await offer(makeKey("calm", "-t", "ed25519"));
    await expect(ask(socket, Buffer.from("ffffffff00", "hex"))).rejects.toThrow("hung up");
    expect(await ask(socket, string(Buffer.of(13, 0, 0)))).toEqual(Buffer.of(5));
    expect(await listed(socket)).toHaveLength(1);
  });
});

test("the wire's numbers are read as they are written", () => {
  expect(mpint(Buffer.of(0, 0, 0x80)).toString("hex")).toBe("000000020080");
  expect(mpint(Buffer.of(0)).toString("hex")).toBe("00000000");
  const reader = new WireReader(Buffer.concat([uint32(7), string("ab")]));
  expect([reader.uint32(), reader.string().toString()]).toEqual([7, "ab"]);
  expect(() => reader.uint32()).toThrow(RangeError);
});

async function runSshAdd(
  socket: string,
  ...args: readonly string[]
): Promise<{ readonly code: number | null }> {
  const { spawn } = await import("node:child_process");
  const child = spawn("ssh-add", args, { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: "ignore" });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code }));
  });
}

/** The public keys that an agent tells. */
async function listed(socket: string): Promise<readonly Buffer[]> {
  const answer = await ask(socket, string(Buffer.of(11)));
  const reader = new WireReader(answer.subarray(1));
  return Array.from({ length: reader.uint32() }, () => {
    const key = reader.string();
    reader.string();
    return key;
  });
}

/** Sends bytes; the first message that comes back. */
function ask(path: string, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(bytes));
    let received = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4 || received.length < 4 + received.readUInt32BE(0)) return;
      socket.end();
      resolve(received.subarray(4));
    });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("hung up")));
  });
}
