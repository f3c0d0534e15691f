import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Debian's docker-registry on a free port of the loopback interface, with its files in `folder`. */
export async function startRegistry(folder) {
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "config.yml");
  // JSON is YAML. Port 0: the registry's log says which one it got.
  writeFileSync(
    config,
    JSON.stringify({
      version: 0.1,
      storage: { filesystem: { rootdirectory: join(folder, "data") }, delete: { enabled: true } },
      http: { addr: "127.0.0.1:0" },
    }),
  );
  const child = spawn("docker-registry", ["serve", config], { stdio: ["ignore", "pipe", "pipe"] });
  const address = await listeningAddress(child);
  return {
    address,
    async stop() {
      child.kill();
      if (child.exitCode === null) await once(child, "exit");
    },
  };
}

function listeningAddress(child) {
  return new Promise((resolve, reject) => {
    let log = "";
    const read = (chunk) => {
      log = (log + chunk).slice(-10_000);
      const match = /listening on (127\.0\.0\.1:\d+)/.exec(log);
      if (match !== null) resolve(match[1]);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("error", reject);
    child.on("exit", () => reject(new Error(`docker-registry ended: ${log}`)));
  });
}
