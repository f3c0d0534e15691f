import {
  type BlobOpener,
  type BlobSink,
  type BlobSource,
  type Descriptor,
  type Digest,
  decodeManifestDocument,
  digestOf,
  isDigest,
  type OpenBlobOptions,
  verifyBytes,
} from "../oci/index.ts";
import { fetchBlob } from "./blobs/fetch-blob.ts";
import { hasBlob } from "./blobs/has-blob.ts";
import type { KnownBlobs } from "./blobs/known-blobs.ts";
import { chooseMountCandidates } from "./blobs/mount-candidates.ts";
import { pushBlob } from "./blobs/push-blob.ts";
import type { PushBlobResult } from "./blobs/push-types.ts";
import type { BlobContext } from "./events.ts";
import type { HostSession, SessionDeps } from "./host-session.ts";
import type { FetchedDocument, ManifestSink, ManifestSource } from "./images/types.ts";
import { deleteManifest } from "./manifests/delete-manifest.ts";
import { fetchManifest, resolveManifest } from "./manifests/fetch-manifest.ts";
import { listTags } from "./manifests/list-tags.ts";
import { forgetReferrer, noteReferrer, referrerDescriptor } from "./manifests/note-referrer.ts";
import { pushManifest } from "./manifests/push-manifest.ts";
import { listReferrers } from "./manifests/referrers.ts";
import type { RegistrySessions } from "./registry-sessions.ts";
import type { SerialQueue } from "./serial-queue.ts";

/** Progress is told this often at most: once for each of so many bytes. */
const EVENT_BYTES = 1024 * 1024;

export interface RepositoryDeps extends SessionDeps {
  readonly sessions: RegistrySessions;
  readonly known: KnownBlobs;
  readonly uploads: Map<string, Promise<PushBlobResult>>;
  readonly referrerQueue: SerialQueue;
  /** Digests that came wrong from a mirror. */
  readonly distrusted: Set<string>;
}

export interface PushOptions {
  /** `registry/repository` names that may have the blob, beside those that this client has seen itself. */
  readonly mountFrom?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: ((count: number) => void) | undefined;
}

interface Cancellable {
  readonly signal?: AbortSignal | undefined;
}

/** One repository of a registry. Holds no connection: make as many as are needed. */
export class Repository implements BlobSource, BlobSink, ManifestSource, ManifestSink {
  readonly registry: string;
  /** The path without the registry. */
  readonly name: string;
  readonly #deps: RepositoryDeps;

  /** Made by `RegistryClient.repository`. */
  constructor(registry: string, name: string, deps: RepositoryDeps) {
    this.registry = registry;
    this.name = name;
    this.#deps = deps;
  }

  /** The digest that a tag has now, or that a digest is there. @throws {RegistryError} MANIFEST_NOT_FOUND, … */
  async resolve(
    name: string,
    { signal }: Cancellable = {},
  ): Promise<{ readonly descriptor: Descriptor; readonly document?: FetchedDocument }> {
    const want = isDigest(name) ? "manifest-by-digest" : "manifest-by-tag";
    const request = { repository: this.name, name, signal };
    return await this.#deps.sessions.read(
      this.registry,
      want,
      (session) => resolveManifest(session, request),
      signal,
    );
  }

  /** Fetches a manifest or index by tag or digest. @throws {RegistryError} MANIFEST_NOT_FOUND, … */
  async fetchManifest(name: string, { signal }: Cancellable = {}): Promise<FetchedDocument> {
    const want = isDigest(name) ? "manifest-by-digest" : "manifest-by-tag";
    const request = { repository: this.name, name, signal };
    return await this.#deps.sessions.read(
      this.registry,
      want,
      (session) => fetchManifest(session, request),
      signal,
    );
  }

  /**
   * Puts a manifest or index under a tag, or under its digest alone. What it lists must be there already. A manifest
   * with a subject becomes findable as its referrer, also where the registry does not see to that itself.
   * @throws {RegistryError} @throws {OciError} DOCUMENT_INVALID
   */
  async pushManifest(
    bytes: Uint8Array,
    options: { readonly mediaType: string; readonly tag?: string | undefined } & Cancellable,
  ): Promise<Descriptor> {
    const { mediaType, tag, signal } = options;
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
    const document = decodeManifestDocument(bytes, mediaType);
    const content = document.kind === "index" ? document.index : document.manifest;
    const { subject } = content;
    const session = await this.#deps.sessions.upstream(this.registry);
    // With a subject the answer is needed: it tells whether the registry has noted the referrer.
    const always = subject !== undefined;
    const result = await pushManifest(session, {
      repository: this.name,
      descriptor,
      bytes,
      tag,
      always,
      signal,
    });
    const { onEvent } = this.#deps;
    const { registry, name: repository } = this;
    onEvent?.({
      kind: "manifest-pushed",
      registry,
      repository,
      digest: descriptor.digest,
      ...(tag === undefined ? {} : { tag }),
    });
    if (subject !== undefined && result.subject === undefined) {
      const referrer = referrerDescriptor(descriptor, content);
      await this.#deps.referrerQueue.run(`${registry}/${repository} ${subject.digest}`, () =>
        noteReferrer(session, { repository, subject, referrer, signal }),
      );
    }
    return descriptor;
  }

  /** Opens a blob; see `BlobSource`. Broken connections are mended on the way. */
  async openBlob(descriptor: Descriptor, options: OpenBlobOptions = {}): Promise<AsyncIterable<Uint8Array>> {
    const { offset = 0, signal } = options;
    const inline = inlineContent(descriptor);
    if (inline !== undefined) return once(inline.subarray(offset));
    const { clock, policy, onEvent, known } = this.#deps;
    const bytes = await fetchBlob(
      { repository: this.name, descriptor, offset, signal },
      { clock, policy, onEvent, readers: () => this.#blobReaders(descriptor.digest) },
    );
    known.note(this.registry, this.name, descriptor.digest);
    return onEvent === undefined ? bytes : this.#reported(bytes, descriptor, offset);
  }

  /** From now on this blob comes from the registry itself: what a mirror gave did not have the digest. */
  distrustMirrors(digest: Digest): void {
    this.#deps.distrusted.add(`${this.registry} ${digest}`);
  }

  /** What events say about a blob of this repository. */
  blobContext({ digest, size }: Descriptor): BlobContext {
    return { registry: this.registry, repository: this.name, digest, size };
  }

  async hasBlob(descriptor: Descriptor, { signal }: Cancellable = {}): Promise<boolean> {
    const { sessions, known } = this.#deps;
    if (known.has(this.registry, this.name, descriptor.digest)) return true;
    const session = await sessions.upstream(this.registry);
    const found = await hasBlob(session, { repository: this.name, descriptor, signal });
    if (found) known.note(this.registry, this.name, descriptor.digest);
    return found;
  }

  async writeBlob(descriptor: Descriptor, open: BlobOpener, options: PushOptions = {}): Promise<void> {
    await this.pushBlob(descriptor, open, options);
  }

  /**
   * Makes the repository have a blob, and says how. Equal pushes at the same time are one.
   * @throws {RegistryError} @throws {OciError} BLOB_CORRUPT
   */
  async pushBlob(
    descriptor: Descriptor,
    open: BlobOpener,
    options: PushOptions = {},
  ): Promise<PushBlobResult> {
    const { uploads, known, onEvent } = this.#deps;
    const context = this.blobContext(descriptor);
    const key = `${this.registry}/${this.name}@${descriptor.digest}`;
    if (known.has(this.registry, this.name, descriptor.digest)) {
      onEvent?.({ kind: "blob-skipped", direction: "push", ...context });
      return { kind: "present" };
    }
    const running = uploads.get(key);
    if (running !== undefined) {
      try {
        await running;
        return { kind: "present" };
      } catch {
        // That one's trouble may be its source or its signal: go on with ours.
        options.signal?.throwIfAborted();
      }
    }
    const upload = this.#upload(descriptor, open, options).finally(() => uploads.delete(key));
    uploads.set(key, upload);
    return await upload;
  }

  /** Tags, page by page. @throws {RegistryError} NOT_FOUND */
  async *listTags({ signal }: Cancellable = {}): AsyncGenerator<readonly string[], void, undefined> {
    const session = await this.#deps.sessions.upstream(this.registry);
    yield* listTags(session, { repository: this.name, signal });
  }

  /** What refers to a manifest: signatures, attestations and the like. */
  async listReferrers(
    subject: Digest,
    { artifactType, signal }: { readonly artifactType?: string } & Cancellable = {},
  ): Promise<readonly Descriptor[]> {
    const session = await this.#deps.sessions.upstream(this.registry);
    return await listReferrers(session, { repository: this.name, subject, artifactType, signal });
  }

  /**
   * Deletes a manifest (by digest, with all its tags) or one tag. False when it was not there.
   * @throws {RegistryError} UNSUPPORTED where the registry does not allow it
   */
  async deleteManifest(name: string, { signal }: Cancellable = {}): Promise<boolean> {
    const session = await this.#deps.sessions.upstream(this.registry);
    const repository = this.name;
    if (isDigest(name)) await this.#forgetSubject(name, signal);
    return await deleteManifest(session, { repository, name, signal });
  }

  /** A referrer that is about to go leaves the list where we may have put it. */
  async #forgetSubject(digest: Digest, signal: AbortSignal | undefined): Promise<void> {
    const session = await this.#deps.sessions.upstream(this.registry);
    const repository = this.name;
    let document: FetchedDocument;
    try {
      document = await fetchManifest(session, { repository, name: digest, signal });
    } catch {
      // Not there, or not readable as a manifest: then it is nobody's referrer that we noted.
      signal?.throwIfAborted();
      return;
    }
    const content = document.kind === "index" ? document.index : document.manifest;
    if (content.subject === undefined) return;
    const request = { repository, subject: content.subject, referrer: document.descriptor, signal };
    await this.#deps.referrerQueue.run(`${this.registry}/${repository} ${content.subject.digest}`, () =>
      forgetReferrer(session, request),
    );
  }

  async #upload(descriptor: Descriptor, open: BlobOpener, options: PushOptions): Promise<PushBlobResult> {
    const { sessions, known, onEvent, clock, policy } = this.#deps;
    const { registry, name: repository } = this;
    const { digest, size } = descriptor;
    const context = this.blobContext(descriptor);
    const session = await sessions.upstream(registry);
    const names = [...(options.mountFrom ?? []), ...known.origins(registry, digest)];
    let told = 0;
    let counted = 0;
    let started = false;
    const result = await pushBlob(
      session,
      {
        repository,
        descriptor,
        open,
        mountFrom: chooseMountCandidates(names, { registry, repository, size }),
        signal: options.signal,
        onSent: (sent) => {
          options.onBytes?.(sent - counted);
          counted = sent;
          if (onEvent === undefined) return;
          if (!started) onEvent({ kind: "blob-started", direction: "push", ...context });
          started = true;
          if (sent !== size && sent !== 0 && sent - told < EVENT_BYTES) return;
          told = sent;
          onEvent({ kind: "blob-bytes", direction: "push", done: sent, ...context });
        },
      },
      { clock, policy, onEvent },
    );
    known.note(registry, repository, digest);
    if (result.kind === "present") onEvent?.({ kind: "blob-skipped", direction: "push", ...context });
    if (result.kind === "mounted") onEvent?.({ kind: "blob-mounted", from: result.from, ...context });
    if (result.kind === "uploaded") onEvent?.({ kind: "blob-finished", direction: "push", ...context });
    return result;
  }

  async *#reported(
    bytes: AsyncIterable<Uint8Array>,
    descriptor: Descriptor,
    offset: number,
  ): AsyncGenerator<Uint8Array> {
    const { onEvent } = this.#deps;
    const context = this.blobContext(descriptor);
    let done = offset;
    let told = offset;
    onEvent?.({ kind: "blob-started", direction: "pull", ...context });
    for await (const chunk of bytes) {
      done += chunk.byteLength;
      if (done - told >= EVENT_BYTES || done === descriptor.size) {
        told = done;
        onEvent?.({ kind: "blob-bytes", direction: "pull", done, ...context });
      }
      yield chunk;
    }
    onEvent?.({ kind: "blob-finished", direction: "pull", ...context });
  }

  async #blobReaders(digest: Digest): Promise<readonly HostSession[]> {
    const { sessions, distrusted } = this.#deps;
    if (distrusted.has(`${this.registry} ${digest}`)) return [await sessions.upstream(this.registry)];
    return await sessions.readers(this.registry, "blob");
  }
}

/** Content that came inside the descriptor, if it really is what the descriptor names. */
function inlineContent(descriptor: Descriptor): Uint8Array | undefined {
  const content =
    descriptor.data !== undefined
      ? Buffer.from(descriptor.data, "base64")
      : descriptor.digest === EMPTY_CONFIG.digest && descriptor.size === EMPTY_CONFIG.size
        ? EMPTY_CONFIG.content
        : undefined;
  if (content === undefined) return undefined;
  try {
    verifyBytes(content, descriptor);
    return content;
  } catch {
    return undefined;
  }
}

/** The config that artifacts have instead of an image's: `{}`. */
const EMPTY_CONFIG = { content: Buffer.from("{}"), digest: digestOf("{}"), size: 2 };

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes;
}
