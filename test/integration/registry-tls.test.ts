import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { digestOf, parseReference } from "../../src/oci/index.ts";
import {
  createHostConfigs,
  createSystemCa,
  fetchImageMetadata,
  pullImage,
  pushImage,
  RegistryClient,
} from "../../src/registry/index.ts";
import { layCerts, makeCerts, type TestCerts } from "../support/registry-certs.ts";
import { HastyClock } from "../support/registry-clock.ts";
import { MemoryBlobs, makeImage } from "../support/registry-images.ts";
import { hasOpenssl } from "../support/registry-issuer.ts";
import { hasRegistry, type RegistryServer, startRegistry } from "../support/registry-server.ts";

describe.skipIf(!hasRegistry || !hasOpenssl)(
  "a registry with TLS of its own authority (docker-registry, openssl installed)",
  () => {
    let folder: string;
    let certs: TestCerts;
    let server: RegistryServer;
    let strict: RegistryServer;
    const image = makeImage({ layerSizes: [2_000_000] });
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "strake-tls-"));
      certs = await makeCerts(join(folder, "certs"));
      const files = `{certificate: ${certs.server.cert}, key: ${certs.server.key}`;
      server = await startRegistry({ http: [`tls: ${files}}`] });
      strict = await startRegistry({ http: [`tls: ${files}, clientcas: [${certs.ca}]}`] });
    });
    afterAll(async () => {
      await server?.[Symbol.asyncDispose]();
      await strict?.[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    });
    const reference = (at: RegistryServer = server) => parseReference(`${at.host}/x:1`);
    const roundTrip = async (client: RegistryClient, at?: RegistryServer) => {
      await pushImage(client, { source: image.blobs, root: image.manifest, reference: reference(at) });
      const sink = new MemoryBlobs();
      await pullImage(client, { reference: reference(at), sink });
      return sink.content.size;
    };

    test("is not trusted without being told to", async () => {
      const clock = new HastyClock();
      await using client = new RegistryClient({ clock });
      await expect(fetchImageMetadata(client, reference())).rejects.toMatchObject({
        code: "TLS_FAILED",
        message: expect.stringContaining("signed by an authority that is not trusted here"),
        hint: expect.stringContaining(`certs.d/${server.host}/ca.crt`),
      });
      expect(clock.waits).toEqual([]);
    });

    test("is trusted by a certificate in certs.d, large blobs included", async () => {
      const root = await layCerts(join(folder, "own"), server.host, { "ca.crt": certs.ca });
      await using client = new RegistryClient({
        hosts: createHostConfigs({ certsRoots: [join(folder, "none"), root] }),
      });
      expect(await roundTrip(client)).toBe(3);
    });

    test("is trusted by the system's authorities", async () => {
      await using client = new RegistryClient({ systemCa: createSystemCa({ SSL_CERT_FILE: certs.ca }) });
      expect(await roundTrip(client)).toBe(3);
    });

    test("is taken as it is where it is named as insecure", async () => {
      await using client = new RegistryClient({ hosts: createHostConfigs({ insecure: [server.host] }) });
      expect(await roundTrip(client)).toBe(3);
    });

    test("vouches for where it redirects to, which does not learn who we are", async () => {
      const content = Buffer.from("a blob");
      const options = {
        cert: await readFile(certs.server.cert),
        key: await readFile(certs.server.key),
        ca: await readFile(certs.ca),
        requestCert: true,
        rejectUnauthorized: false,
      };
      const clients: (string | undefined)[] = [];
      const listen = async (handler: RequestListener) => {
        const at = createServer(options, (request, response) => {
          clients.push((request.socket as TLSSocket).getPeerCertificate().subject?.CN as string | undefined);
          handler(request, response);
        }).listen(0, "127.0.0.1");
        await once(at, "listening");
        return { at, host: `127.0.0.1:${(at.address() as AddressInfo).port}` };
      };
      const storage = await listen((_request, response) => void response.end(content));
      const registry = await listen(
        (_request, response) => void response.writeHead(307, { location: `https://${storage.host}/b` }).end(),
      );
      try {
        const root = await layCerts(join(folder, "vouching"), registry.host, {
          "ca.crt": certs.ca,
          "me.cert": certs.client.cert,
          "me.key": certs.client.key,
        });
        await using client = new RegistryClient({
          hosts: createHostConfigs({ certsRoots: [root] }),
          retry: { maxAttempts: 1 },
        });
        const repository = client.repository(parseReference(`${registry.host}/x`));
        const descriptor = { mediaType: "x/y", digest: digestOf(content), size: content.length };
        const chunks: Uint8Array[] = [];
        for await (const chunk of await repository.openBlob(descriptor)) chunks.push(chunk);
        expect(Buffer.concat(chunks)).toEqual(content);
        expect(clients.slice(-2)).toEqual(["client", undefined]);
      } finally {
        for (const { at } of [registry, storage]) {
          at.closeAllConnections();
          at.close();
        }
      }
    });

    test("is not trusted under another name", async () => {
      const other = await makeCerts(join(folder, "other"), "DNS:elsewhere.example");
      await using wrong = await startRegistry({
        http: [`tls: {certificate: ${other.server.cert}, key: ${other.server.key}}`],
      });
      const root = await layCerts(join(folder, "wrong"), wrong.host, { "ca.crt": other.ca });
      await using client = new RegistryClient({ hosts: createHostConfigs({ certsRoots: [root] }) });
      await expect(fetchImageMetadata(client, reference(wrong))).rejects.toMatchObject({
        code: "TLS_FAILED",
        message: expect.stringContaining("its certificate is for another name (DNS:elsewhere.example)"),
        hint: expect.stringContaining("one of the names"),
      });
      // The same where its authority becomes known only with the system's.
      const systemCa = createSystemCa({ SSL_CERT_FILE: other.ca });
      await using trusting = new RegistryClient({ systemCa });
      await expect(fetchImageMetadata(trusting, reference(wrong))).rejects.toMatchObject({
        message: expect.stringContaining("another name"),
      });
    });

    test("that wants a client's certificate gets it", async () => {
      const ca = { "ca.crt": certs.ca };
      const bare = await layCerts(join(folder, "bare"), strict.host, ca);
      await using without = new RegistryClient({
        hosts: createHostConfigs({ certsRoots: [bare] }),
        retry: { maxAttempts: 1 },
      });
      await expect(fetchImageMetadata(without, reference(strict))).rejects.toMatchObject({
        name: "RegistryError",
      });
      const full = await layCerts(join(folder, "full"), strict.host, {
        ...ca,
        "me.cert": certs.client.cert,
        "me.key": certs.client.key,
      });
      await using client = new RegistryClient({ hosts: createHostConfigs({ certsRoots: [full] }) });
      expect(await roundTrip(client, strict)).toBe(3);
    });

    test("with half a client certificate in certs.d is told", async () => {
      const root = await layCerts(join(folder, "half"), server.host, { "me.cert": certs.client.cert });
      await using client = new RegistryClient({ hosts: createHostConfigs({ certsRoots: [root] }) });
      await expect(fetchImageMetadata(client, reference())).rejects.toMatchObject({
        code: "CONFIG_INVALID",
        message: expect.stringContaining('"me.cert" has no key'),
      });
    });

    test("asked in plain http is told apart from a broken one", async () => {
      const http = {
        find: async () => ({ upstream: { host: server.host, protocol: "http" as const, isUpstream: true } }),
      };
      await using client = new RegistryClient({ hosts: http });
      await expect(fetchImageMetadata(client, reference())).rejects.toMatchObject({
        code: "REFUSED",
        hint: "The registry speaks https",
      });
    });

    test("settings apply in code too", async () => {
      const tls = { extraCa: [await readFile(certs.ca, "utf8")] };
      await using client = new RegistryClient({ hosts: createHostConfigs({ tls }) });
      expect(await roundTrip(client)).toBe(3);
    });
  },
);

test.skipIf(!hasRegistry)(
  "a registry without TLS is told apart where only https is allowed (docker-registry installed)",
  async () => {
    await using server = await startRegistry();
    const https = {
      find: async () => ({ upstream: { host: server.host, protocol: "https" as const, isUpstream: true } }),
    };
    await using client = new RegistryClient({ hosts: https });
    await expect(fetchImageMetadata(client, parseReference(`${server.host}/x:1`))).rejects.toMatchObject({
      code: "TLS_FAILED",
      message: expect.stringMatching(/: it does not speak TLS$/),
      hint: expect.stringContaining(`STRAKE_INSECURE_REGISTRIES=${server.host}`),
    });
  },
);
