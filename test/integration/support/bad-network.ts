import { afterAll, beforeAll, beforeEach, describe } from "vitest";
import { type Descriptor, parseReference, type Reference, verifyBlob } from "../../../src/oci/index.ts";
import { pushImage, RegistryClient, type RegistryEvent } from "../../../src/registry/index.ts";
import { HastyClock } from "../../support/registry-clock.ts";
import { type MadeImage, makeImage } from "../../support/registry-images.ts";
import { type FaultProxy, type SeenRequest, startProxy } from "../../support/registry-proxy.ts";
import { hasRegistry, type RegistryServer, startRegistry } from "../../support/registry-server.ts";

/** A real registry behind a proxy that does as each test says, with an image of one layer in it as `x:1`. */
export interface BadNetwork {
  readonly server: RegistryServer;
  /** Passes everything on before each test. */
  readonly proxy: FaultProxy;
  /** New for each test, as are the events. */
  readonly clock: HastyClock;
  /** What clients have told: those of `newClient`, and whoever adds to it. */
  readonly events: RegistryEvent[];
  /** The image `x:1`. */
  readonly big: MadeImage;
  /** Its one layer. */
  readonly layer: Descriptor;
  readonly bytes: Uint8Array;
  readonly newClient: () => RegistryClient;
  /** A name behind the proxy; `x:1` by default. */
  readonly reference: (name?: string) => Reference;
  /** Whether a request is for the layer's bytes. */
  readonly isBlob: (request: SeenRequest) => boolean;
  /** The ranges of the layer that were asked for, in order. */
  readonly ranges: () => readonly (string | undefined)[];
  /** The layer's bytes as a client gets them. */
  readonly download: (client: RegistryClient) => Promise<Buffer>;
}

/** Tests that share a bad network. Skipped where there is no docker-registry. */
export function describeBadNetwork(title: string, define: (net: BadNetwork) => void): void {
  describe.skipIf(!hasRegistry)(`${title} (docker-registry installed)`, () => {
    const big = makeImage({ layerSizes: [3_000_000] });
    const layer = big.layers[0] as Descriptor;
    let server: RegistryServer | undefined;
    let proxy: FaultProxy | undefined;
    let clock = new HastyClock();
    let events: RegistryEvent[] = [];
    const isBlob = ({ path, method }: SeenRequest): boolean =>
      method === "GET" && path.includes(`/blobs/${layer.digest}`);
    const net: BadNetwork = {
      get server() {
        return made(server);
      },
      get proxy() {
        return made(proxy);
      },
      get clock() {
        return clock;
      },
      get events() {
        return events;
      },
      big,
      layer,
      bytes: big.blobs.content.get(layer.digest) as Uint8Array,
      newClient: () => new RegistryClient({ clock, onEvent: (event) => events.push(event) }),
      reference: (name = "x:1") => parseReference(`${net.proxy.host}/${name}`),
      isBlob,
      ranges: () => net.proxy.seen.filter(isBlob).map(({ headers }) => headers.range),
      async download(client) {
        const chunks: Uint8Array[] = [];
        const blob = await client.repository(net.reference()).openBlob(layer);
        for await (const chunk of verifyBlob(blob, layer)) chunks.push(chunk);
        return Buffer.concat(chunks);
      },
    };
    beforeAll(async () => {
      server = await startRegistry();
      proxy = await startProxy(server.host);
      await using client = new RegistryClient();
      await pushImage(client, {
        source: big.blobs,
        root: big.manifest,
        reference: parseReference(`${server.host}/x:1`),
      });
    });
    afterAll(async () => {
      await proxy?.[Symbol.asyncDispose]();
      await server?.[Symbol.asyncDispose]();
    });
    beforeEach(() => {
      net.proxy.reset();
      clock = new HastyClock();
      events = [];
    });
    define(net);
  });
}

function made<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("It is made by beforeAll");
  return value;
}
