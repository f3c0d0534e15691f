import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { freePort } from "./registry-server.ts";

/** Whether go-containerregistry's `crane`, which has a registry of its own in it, is installed. */
export const hasCrane = spawnSync("crane", ["registry", "--help"]).status === 0;

/** Starts `crane registry serve`: another implementation than distribution, which keeps everything in memory. */
export async function startCraneRegistry(): Promise<{ readonly host: string } & AsyncDisposable> {
  const host = `127.0.0.1:${await freePort()}`;
  const child = spawn("crane", ["registry", "serve", "--address", host], { stdio: "ignore" });
  const exit = once(child, "exit");
  const isOver = exit.then(() => true);
  while (!(await answers(host))) {
    if (await Promise.race([isOver, soon()])) throw new Error("crane registry serve did not start");
  }
  return {
    host,
    async [Symbol.asyncDispose]() {
      child.kill();
      await exit;
    },
  };
}

async function answers(host: string): Promise<boolean> {
  return await fetch(`http://${host}/v2/`).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function soon(): Promise<false> {
  return await new Promise((resolve) => setTimeout(resolve, 50, false));
}
