import { request as send } from "node:http";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { digestOf, parseReference } from "../../src/oci/index.ts";
import { RegistryClient } from "../../src/registry/index.ts";
import { PauseWatch, type WatchedOptions } from "../support/pause-watch.ts";
import { FastClock } from "../support/registry-clock.ts";
import { type FaultProxy, type SeenRequest, startProxy } from "../support/registry-proxy.ts";

const SCALE = 10;
const PATH = "/v2/x/tags/list";

/** The first request for tags is asked to wait for two seconds. */
const pauseOnce = ({ path, nth }: SeenRequest) =>
  path.startsWith(PATH) && nth === 0
    ? ({ kind: "answer", status: 429, headers: { "retry-after": "2" } } as const)
    : ({ kind: "answer", status: 200, body: '{"tags":["1"]}' } as const);

/** A client of the test's own, that tells what it does as ours does and heeds nothing. */
async function ask(proxy: FaultProxy, { userAgent, clock, onEvent }: WatchedOptions): Promise<void> {
  const startedMs = clock.nowMs();
  const url = `http://${proxy.host}${PATH}`;
  const status = await new Promise<number>((resolve, reject) => {
    send(url, { headers: { "user-agent": userAgent } }, (answer) => {
      answer.resume().once("end", () => resolve(answer.statusCode ?? 0));
    })
      .once("error", reject)
      .end();
  });
  onEvent({ kind: "request", method: "GET", url, status, durationMs: clock.nowMs() - startedMs });
}

const newClock = () => new FastClock(SCALE, () => 1);

test("a client that asks again in a pause is seen to", async () => {
  await using proxy = await startProxy();
  const watch = new PauseWatch(proxy, pauseOnce);
  const options = watch.clientOptions("rude", newClock());
  await ask(proxy, options);
  await setTimeout(20);
  await ask(proxy, options);
  expect(watch.intrusions).toEqual([`rude GET ${PATH}`]);
  expect(watch).toMatchObject({ requests: 2 });
});

test("a client that waits it out is not, nor is another that has not been asked", async () => {
  await using proxy = await startProxy();
  const watch = new PauseWatch(proxy, pauseOnce);
  const options = watch.clientOptions("polite", newClock());
  await ask(proxy, options);
  await ask(proxy, watch.clientOptions("other", newClock()));
  await setTimeout(2000 / SCALE + 20);
  await ask(proxy, options);
  expect(watch.intrusions).toEqual([]);
});

test("ours holds back every request of its own in the pause, not only the one that was refused", async () => {
  await using proxy = await startProxy();
  const watch = new PauseWatch(proxy, pauseOnce);
  await using client = new RegistryClient(watch.clientOptions("ours", newClock()));
  const repository = client.repository(parseReference(`${proxy.host}/x`));
  const listing = repository.listTags().next();
  while (!proxy.seen.some(({ path }) => path.startsWith(PATH))) await setTimeout(1);
  await setTimeout(20);
  const blob = { mediaType: "a/b", digest: digestOf(Buffer.from("x")), size: 1 };
  const [page] = await Promise.all([listing, repository.hasBlob(blob).catch(() => undefined)]);
  expect(page.value).toEqual(["1"]);
  expect(proxy.seen.some(({ path }) => path.includes("/blobs/"))).toBe(true);
  expect(watch.intrusions).toEqual([]);
});
