import { expect, test } from "vitest";
import { parseReference } from "../../src/oci/index.ts";
import { pullImage, pushImage, RegistryClient } from "../../src/registry/index.ts";
import { startMemoryRegistry } from "../support/memory-registry.ts";
import { PauseWatch } from "../support/pause-watch.ts";
import { type RandomFaultOptions, randomFaults } from "../support/random-faults.ts";
import { FastClock } from "../support/registry-clock.ts";
import { MemoryBlobs, makeImage } from "../support/registry-images.ts";
import { type FaultProxy, startProxy } from "../support/registry-proxy.ts";
import { hasRegistry, startRegistry } from "../support/registry-server.ts";
import { seededRandom, testSeed } from "../support/seeded-random.ts";

const WORKERS = 4;
/** How much faster clients' pauses are than they believe. */
const SCALE = 40;
const RATE = 0.3;
/**
 * What distribution 2.8 gets of a body that breaks off it throws away, so bytes that go twice are those of broken bodies, by
 * chance 2 to 9 in a hundred, and requests. Of seeds 1 to 12 none came to more than 1.1; for any other, and for fewer
 * images, chance has more room.
 */
const USUAL_SEEDS = 12;
const MAX_BYTES = { usual: 1.1, any: 1.15, few: 1.25 };

interface Soaked {
  readonly direction: string;
  readonly failures: readonly string[];
  /** What went over the wire for each byte of the images. */
  readonly ratio: number;
  readonly faults: number;
  readonly requests: number;
  readonly intrusions: readonly string[];
}

/** Pushes images through a faulty proxy and pulls them back, some at a time, each by a client of its own. */
async function soak(
  proxy: FaultProxy,
  options: Omit<RandomFaultOptions, "maxBytes"> & { readonly rounds: number },
): Promise<readonly Soaked[]> {
  const layerSizes = [900_000, 30_000];
  const images = Array.from({ length: options.rounds }, (_, round) => {
    const own = { blobs: new MemoryBlobs(), layerSizes, seed: `${options.seed} ${round}` };
    return { image: makeImage(own), reference: (host: string) => parseReference(`${host}/soak/${round}:1`) };
  });
  const imageBytes = images.flatMap(({ image }) => [...image.blobs.content.values()]);
  const size = imageBytes.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const run = async (direction: string, work: Work): Promise<Soaked> => {
    const watch = new PauseWatch(proxy, randomFaults({ ...options, maxBytes: 900_000 }));
    const failures: string[] = [];
    const before = proxy.bytes();
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let round = next++; round < images.length; round = next++) {
        const name = `${direction}-${round}`;
        const clock = new FastClock(SCALE, seededRandom(`${options.seed} ${name}`));
        await using client = new RegistryClient({
          ...watch.clientOptions(name, clock),
          timeouts: { answerMs: 2000, stallMs: 1000 },
        });
        const { image, reference } = images[round] as (typeof images)[number];
        try {
          await work(client, image, reference(proxy.host));
        } catch (error) {
          failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, worker));
    const { faults, intrusions, requests } = watch;
    return { direction, failures, ratio: (proxy.bytes() - before) / size, faults, requests, intrusions };
  };
  const push = await run("push", async (client, image, reference) => {
    await pushImage(client, { source: image.blobs, root: image.manifest, reference });
  });
  const pull = await run("pull", async (client, image, reference) => {
    const sink = new MemoryBlobs();
    const { manifest } = await pullImage(client, { reference, sink });
    // The sink has verified every digest; these are the ones that were pushed.
    expect(manifest.descriptor).toEqual(image.manifest);
    expect([...sink.content.keys()].sort()).toEqual([...image.blobs.content.keys()].sort());
  });
  return [push, pull];
}

type Work = (
  client: RegistryClient,
  image: ReturnType<typeof makeImage>,
  reference: ReturnType<typeof parseReference>,
) => Promise<void>;

const seed = testSeed(1);
const maxBytes = seed >= 1 && seed <= USUAL_SEEDS ? MAX_BYTES.usual : MAX_BYTES.any;

test(`every third request fails: all ends well, with few bytes more and in no pause that was asked for (seed ${seed})`, async ({
  skip,
}) => {
  if (!hasRegistry) skip("docker-registry is not installed");
  await using server = await startRegistry();
  await using proxy = await startProxy(server.host);
  for (const soaked of await soak(proxy, { seed, rate: RATE, rounds: 100 })) {
    expectWell(soaked);
    expect(soaked.ratio).toBeLessThanOrEqual(maxBytes);
  }
}, 240_000);

test(`the same of a registry that keeps what it got of a broken upload (seed ${seed})`, async () => {
  await using server = await startMemoryRegistry({ broken: "keep" });
  await using proxy = await startProxy(server.host);
  for (const soaked of await soak(proxy, { seed, rate: RATE, rounds: 20 })) {
    expectWell(soaked);
    expect(soaked.ratio).toBeLessThanOrEqual(MAX_BYTES.few);
  }
});

test(`every third request fails or is answered with lies: all ends well (seed ${seed})`, async () => {
  await using server = await startMemoryRegistry();
  await using proxy = await startProxy(server.host);
  for (const soaked of await soak(proxy, { seed, rate: RATE, rounds: 20, lies: true })) expectWell(soaked);
});

function expectWell(soaked: Soaked): void {
  console.log(show(soaked));
  expect(soaked.failures).toEqual([]);
  expect(soaked.intrusions).toEqual([]);
  // Four standard deviations: whatever the seed, fewer than that means that the faults are not what they should be.
  const { faults, requests } = soaked;
  const deviation = Math.sqrt((RATE * (1 - RATE)) / requests);
  expect(faults / requests).toBeGreaterThan(RATE - 4 * deviation);
}

function show({ direction, ratio, faults, requests, failures }: Soaked): string {
  return `seed ${seed}, ${direction}: ${faults} faults in ${requests} requests, ${ratio.toFixed(3)} times the bytes, ${failures.length} failed`;
}
