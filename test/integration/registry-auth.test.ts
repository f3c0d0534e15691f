import { spawnSync } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parseReference } from "../../src/oci/index.ts";
import {
  type Credentials,
  createFileCredentials,
  fetchImageMetadata,
  pullImage,
  pushImage,
  RegistryClient,
  type RegistryClientOptions,
  type RegistryEvent,
} from "../../src/registry/index.ts";
import { HastyClock } from "../support/registry-clock.ts";
import { MemoryBlobs, makeImage } from "../support/registry-images.ts";
import { hasOpenssl, startIssuer, type TokenIssuer } from "../support/registry-issuer.ts";
import { startProxy } from "../support/registry-proxy.ts";
import { hasRegistry, type RegistryServer, startRegistry } from "../support/registry-server.ts";

const hasHtpasswd = spawnSync("htpasswd", []).error === undefined;
const always = (credentials: Credentials): RegistryClientOptions => ({
  credentials: { find: () => Promise.resolve(credentials) },
});
const password = (username: string, text: string): Credentials => ({
  kind: "password",
  username,
  password: text,
  origin: "the test",
});

describe.skipIf(!hasRegistry || !hasHtpasswd)(
  "a registry with passwords (docker-registry, htpasswd installed)",
  () => {
    let server: RegistryServer;
    beforeAll(async () => {
      server = await startRegistry({}, async (folder) => {
        const file = join(folder, "passwords");
        await writeFile(file, spawnSync("htpasswd", ["-nbB", "user", "pässwörd:1"]).stdout);
        return { extra: `auth: {htpasswd: {realm: 'My "Realm"', path: ${JSON.stringify(file)}}}` };
      });
    });
    afterAll(async () => await server?.[Symbol.asyncDispose]());
    const reference = () => parseReference(`${server.host}/private:1`);

    test("pushes and pulls with the password", async () => {
      await using client = new RegistryClient(always(password("user", "pässwörd:1")));
      const image = makeImage();
      await pushImage(client, { source: image.blobs, root: image.manifest, reference: reference() });
      const sink = new MemoryBlobs();
      expect((await pullImage(client, { reference: reference(), sink })).root).toEqual(image.manifest);
    });

    test("a wrong password ends after one try, and shows in no message", async () => {
      const events: RegistryEvent[] = [];
      await using client = new RegistryClient({
        ...always(password("user", "wrong-secret")),
        onEvent: (event) => events.push(event),
      });
      const error = await fetchImageMetadata(client, reference()).catch((caught: unknown) => caught);
      expect(error).toMatchObject({
        code: "UNAUTHORIZED",
        status: 401,
        credentialOrigin: "the test",
        hint: `The credentials from the test were refused; log in again: strake login ${server.host}`,
      });
      const asked = events.filter((event) => event.kind === "request" && event.url.includes("/manifests/"));
      expect(asked).toHaveLength(2);
      expect(JSON.stringify([error, events, String(error)])).not.toMatch(/wrong-secret|d3Jvbmct/);
    });

    test("a helper that fails keeps from pushing, before anything is sent", async () => {
      const folder = await mkdtemp(join(tmpdir(), "strake-helper-"));
      const helper = join(folder, "docker-credential-broken");
      await writeFile(helper, "#!/bin/sh\ncat > /dev/null\necho 'the vault is locked' >&2\nexit 1\n");
      await chmod(helper, 0o755);
      const config = join(folder, "config.json");
      await writeFile(config, JSON.stringify({ credsStore: "broken" }));
      const events: RegistryEvent[] = [];
      await using client = new RegistryClient({
        credentials: createFileCredentials({
          files: [{ path: config, format: "config" }],
          env: { PATH: `${folder}:${process.env["PATH"]}` },
        }),
        onEvent: (event) => events.push(event),
      });
      const image = makeImage();
      const pushing = pushImage(client, {
        source: image.blobs,
        root: image.manifest,
        reference: reference(),
      });
      await expect(pushing).rejects.toMatchObject({
        code: "CREDENTIALS_UNUSABLE",
        message: `Cannot use credential helper docker-credential-broken, which ${config} names: it ended with status 1 (the vault is locked)`,
      });
      const methods = events.flatMap((event) => (event.kind === "request" ? [event.method] : []));
      expect(methods.filter((method) => method !== "HEAD" && method !== "GET")).toEqual([]);
      // Reading is tried without credentials, and ends with what the registry says.
      await expect(fetchImageMetadata(client, reference())).rejects.toMatchObject({ code: "UNAUTHORIZED" });
      await rm(folder, { recursive: true, force: true });
    });

    test("without credentials it says what to do", async () => {
      await using client = new RegistryClient();
      await expect(fetchImageMetadata(client, reference())).rejects.toMatchObject({
        code: "UNAUTHORIZED",
        credentialOrigin: "anonymous",
        hint: `Log in first: strake login ${server.host}`,
      });
    });

    test("login() tells right from wrong passwords", async () => {
      await using client = new RegistryClient();
      await expect(client.login(server.host, { username: "user", password: "no" })).rejects.toMatchObject({
        code: "UNAUTHORIZED",
      });
      const result = await client.login(server.host, { username: "user", password: "pässwörd:1" });
      expect(result).toMatchObject({ checked: true, credentials: { kind: "password", username: "user" } });
    });
  },
);

describe.skipIf(!hasRegistry || !hasOpenssl)(
  "a registry with a token server (docker-registry, openssl installed)",
  () => {
    let folder: string;
    let issuer: TokenIssuer;
    let server: RegistryServer;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "strake-issuer-"));
      issuer = await startIssuer(folder);
      server = await startRegistry(issuer.registryOptions);
    });
    afterAll(async () => {
      await server?.[Symbol.asyncDispose]();
      await issuer?.[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    });
    beforeEach(() => {
      issuer.calls.length = 0;
      issuer.policy = () => ({});
    });
    const reference = (name = "a/b:1") => parseReference(`${server.host}/${name}`);
    const image = makeImage({ layerSizes: [10, 20, 30, 40] });
    const push = (client: RegistryClient, name?: string, mountFrom?: () => string[]) =>
      pushImage(client, { source: image.blobs, root: image.manifest, reference: reference(name), mountFrom });

    test("one token serves a whole push", async () => {
      await using client = new RegistryClient(always(password("user", "p:w")));
      await push(client);
      expect(issuer.calls.map(({ scopes, who }) => [who, ...scopes])).toEqual([
        ["user:p:w", "repository:a/b:pull,push"],
      ]);
      expect(issuer.calls[0]?.params.get("service")).toBe("test-service");
      expect(issuer.calls[0]?.params.get("account")).toBe("user");
    });

    test("a pull asks for no more than pulling, and a push after it keeps both", async () => {
      await using client = new RegistryClient();
      await push(client, "c:1");
      issuer.calls.length = 0;
      await using other = new RegistryClient();
      await fetchImageMetadata(other, reference("c:1"));
      await push(other, "c:2");
      expect(issuer.calls.map(({ scopes }) => scopes)).toEqual([
        ["repository:c:pull"],
        ["repository:c:pull,push"],
      ]);
    });

    test("a mount asks for both repositories, the target first", async () => {
      await using client = new RegistryClient();
      await push(client, "mount/from:1");
      issuer.calls.length = 0;
      await using other = new RegistryClient();
      const { blobs } = await push(other, "mount/to:1", () => [`${server.host}/mount/from`]);
      expect(blobs).toEqual({ uploaded: 0, mounted: 5, present: 0 });
      expect(issuer.calls.map(({ scopes }) => scopes)).toContainEqual([
        "repository:mount/to:pull,push",
        "repository:mount/from:pull",
      ]);
    });

    test("a source that may not be read does not keep from pushing", async () => {
      await using client = new RegistryClient();
      await push(client, "secret:1");
      issuer.policy = ({ scopes }) =>
        scopes.some((scope) => scope.includes("secret")) ? { status: 403 } : {};
      await using other = new RegistryClient();
      const { blobs } = await push(other, "public/x:1", () => [`${server.host}/secret`]);
      expect(blobs).toEqual({ uploaded: 5, mounted: 0, present: 0 });
    });

    test("a token server that grants less than was asked for ends in one clear error", async () => {
      issuer.policy = ({ scopes }) => ({ grant: scopes.map((scope) => scope.replace(",push", "")) });
      await using client = new RegistryClient(always(password("user", "secret-word")));
      const error = await push(client, "readonly:1").catch((caught: unknown) => caught);
      expect(error).toMatchObject({
        code: "UNAUTHORIZED",
        status: 401,
        credentialOrigin: "the test",
        hint: `The credentials from the test do not allow this: ask for the right to ${server.host}/readonly, or log in as somebody else: strake login ${server.host}`,
      });
      expect(String(error)).not.toContain("secret-word");
      expect(issuer.calls.length).toBeLessThanOrEqual(12);
    });

    test("a token is renewed before it ends", async () => {
      const clock = new HastyClock();
      await using client = new RegistryClient({ clock });
      await push(client, "renew:1");
      issuer.calls.length = 0;
      await fetchImageMetadata(client, reference("renew:1"));
      expect(issuer.calls).toHaveLength(0);
      clock.skip(300_000);
      await fetchImageMetadata(client, reference("renew:1"));
      expect(issuer.calls).toHaveLength(1);
    });

    test("requests at the same time share one token", async () => {
      await using client = new RegistryClient();
      await push(client, "shared:1");
      issuer.calls.length = 0;
      await using other = new RegistryClient();
      await Promise.all(Array.from({ length: 8 }, () => fetchImageMetadata(other, reference("shared:1"))));
      expect(issuer.calls).toHaveLength(1);
    });

    test("an identity token goes by POST, and a refresh token that comes back is used next", async () => {
      issuer.policy = ({ who }) =>
        who?.startsWith("refresh:") === true ? { extra: { refresh_token: "second" } } : { status: 401 };
      await using client = new RegistryClient(
        always({ kind: "identity-token", token: "first", origin: "the test" }),
      );
      await push(client, "identity:1");
      await fetchImageMetadata(client, reference("identity:1"));
      await client.repository(reference("identity")).deleteManifest(image.manifest.digest);
      expect(issuer.calls.map(({ method, who }) => `${method} ${who}`)).toEqual([
        "POST refresh:first",
        "POST refresh:second",
      ]);
    });

    test("a server that knows only POST gets the password so", async () => {
      issuer.policy = ({ method }) => (method === "GET" ? { status: 405 } : {});
      await using client = new RegistryClient(always(password("user", "pw")));
      await push(client, "post:1");
      expect(issuer.calls.map(({ method, who }) => `${method} ${who}`)).toEqual([
        "GET user:pw",
        "POST user:pw",
      ]);
    });

    test("stale credentials do not keep public images away, but do keep from pushing", async () => {
      await using client = new RegistryClient();
      await push(client, "public:1");
      issuer.policy = ({ who }) => (who === undefined ? {} : { status: 401 });
      const warnings: string[] = [];
      const onEvent = (event: RegistryEvent) => void (event.kind === "warning" && warnings.push(event.text));
      await using stale = new RegistryClient({ ...always(password("user", "old")), onEvent });
      expect((await fetchImageMetadata(stale, reference("public:1"))).root).toEqual(image.manifest);
      await fetchImageMetadata(stale, reference("public:1"));
      expect(warnings).toEqual([
        `The credentials from the test were refused by ${server.host}; going on without`,
      ]);
      await expect(push(stale, "public:2")).rejects.toMatchObject({
        code: "UNAUTHORIZED",
        hint: `The credentials from the test were refused for repository:public:pull,push; log in again: strake login ${server.host}`,
      });
    });

    test.each<[string, unknown, string]>([
      ["a page for people", "<html>Please log in", "no JSON but"],
      ["an empty answer", "", "no JSON"],
      ["no token", {}, "no token"],
      ["far too much", JSON.stringify({ token: "x".repeat(200_000) }), "more than 131072 bytes"],
    ])("%s instead of a token is told", async (_name, body, fault) => {
      issuer.policy = () => ({ body });
      await using client = new RegistryClient();
      await expect(fetchImageMetadata(client, reference("x:1"))).rejects.toMatchObject({
        code: "BAD_RESPONSE",
        message: expect.stringContaining(fault),
      });
    });

    test("a token server in trouble is tried again", async () => {
      await using client = new RegistryClient();
      await push(client, "trouble:1");
      let failures = 2;
      issuer.policy = () => (failures-- > 0 ? { status: 503 } : {});
      const clock = new HastyClock();
      await using other = new RegistryClient({ clock });
      await fetchImageMetadata(other, reference("trouble:1"));
      expect(clock.waits).toEqual([250, 500]);
    });

    test("a token server that sends a password elsewhere is not followed", async () => {
      await using thief = await startProxy();
      await using door = await startProxy();
      const redirect = { location: `http://${thief.host}/token` };
      door.rule = () => ({ kind: "answer", status: 307, headers: redirect });
      await using registry = await startProxy();
      const challenge = { "www-authenticate": `Bearer realm="http://${door.host}/token",service="s"` };
      registry.rule = () => ({ kind: "answer", status: 401, headers: challenge });
      const to = parseReference(`${registry.host}/x:1`);
      await using byPost = new RegistryClient(
        always({ kind: "identity-token", token: "secret-token", origin: "the test" }),
      );
      await expect(fetchImageMetadata(byPost, to)).rejects.toThrow("credentials to another host");
      expect(thief.seen).toEqual([]);
      // A password goes in a header, which is left behind.
      await using byGet = new RegistryClient(always(password("user", "secret")));
      await expect(fetchImageMetadata(byGet, to)).rejects.toMatchObject({ name: "RegistryError" });
      expect(thief.seen.length).toBeGreaterThan(0);
      expect(thief.seen.every(({ headers }) => headers.authorization === undefined)).toBe(true);
    });

    test("deleting asks for the right to delete", async () => {
      await using client = new RegistryClient();
      await push(client, "gone:1");
      issuer.calls.length = 0;
      expect(await client.repository(reference("gone")).deleteManifest(image.manifest.digest)).toBe(true);
      expect(issuer.calls.map(({ scopes }) => scopes)).toEqual([["repository:gone:pull,push,delete"]]);
    });

    test("login() asks for a refresh token and gives it back to be stored", async () => {
      issuer.policy = ({ who, params }) =>
        who === "user:right"
          ? { extra: params.get("offline_token") === "true" ? { refresh_token: "keep-me" } : {} }
          : { status: 401 };
      await using client = new RegistryClient();
      expect(await client.login(server.host, { username: "user", password: "right" })).toMatchObject({
        checked: true,
        credentials: { kind: "identity-token", token: "keep-me" },
      });
      await expect(client.login(server.host, { username: "user", password: "wrong" })).rejects.toMatchObject({
        code: "UNAUTHORIZED",
      });
    });
  },
);
