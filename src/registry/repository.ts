import { bytesOnce } from "../oci/bytes-once.ts";
import {
  type BlobOpener,
  type BlobSink,
  type BlobSource,
  type Descriptor,
  type Digest,
  decodeManifestDocument,
  digestOf,
  type GrowingBlob,
  isDigest,
  OciError,
  type OpenBlobOptions,
  referrerDescriptor,
  verifyBytes,
} from "../oci/index.ts";
import type { BlobStreams } from "./blobs/blob-streams.ts";
import { fetchBlob } from "./blobs/fetch-blob.ts";
import { foreignNotAllowed, foreignUrls, openForeignBlob } from "./blobs/foreign-blob.ts";
import { hasBlob } from "./blobs/has-blob.ts";
import { inlineContent } from "./blobs/inline-content.ts";
import type { PushBlobResult } from "./blobs/push-types.ts";
import { reportPull } from "./blobs/report-progress.ts";
import { type PushOptions, RepositoryUploads, type UploadsDeps } from "./blobs/repository-uploads.ts";
import { statBlob } from "./blobs/stat-blob.ts";
import type { BlobContext } from "./events.ts";
import type { HostSession, SessionDeps } from "./host-session.ts";
import type { FetchedDocument, ManifestSink, ManifestSource } from "./images/types.ts";
import { deleteManifest } from "./manifests/delete-manifest.ts";
import { fetchManifest, resolveManifest } from "./manifests/fetch-manifest.ts";
import { listTags } from "./manifests/list-tags.ts";
import { forgetReferrer, noteReferrer } from "./manifests/note-referrer.ts";
import { type DeletionPlan, planDeletion } from "./manifests/plan-deletion.ts";
import { pushManifest } from "./manifests/push-manifest.ts";
import { listReferrers } from "./manifests/referrers.ts";
import { fetchRateLimit, type RateLimit } from "./rate-limit.ts";
import type { RegistrySessions, Want } from "./registry-sessions.ts";
import type { SerialQueue } from "./serial-queue.ts";

export interface RepositoryDeps extends SessionDeps, UploadsDeps {
  readonly sessions: RegistrySessions;
  readonly streams: BlobStreams;
  /** Blobs that a registry does not have may be fetched from where their descriptor says. */
  readonly foreignLayers: boolean;
  readonly referrerQueue: SerialQueue;
  /** Digests that came wrong from a mirror. */
  readonly distrusted: Set<string>;
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
  readonly #uploads: RepositoryUploads;

  /** Made by `RegistryClient.repository`. */
  constructor(registry: string, name: string, deps: RepositoryDeps) {
    this.registry = registry;
    this.name = name;
    this.#deps = deps;
    this.#uploads = new RepositoryUploads({ registry, name, upstream: () => this.#upstream() }, deps);
  }

  /** The digest that a tag has now, or that a digest is there. @throws {RegistryError} MANIFEST_NOT_FOUND, … */
  async resolve(
    name: string,
    { signal }: Cancellable = {},
  ): Promise<{ readonly descriptor: Descriptor; readonly document?: FetchedDocument }> {
    return await this.#read(name, signal, (session, repository) =>
      resolveManifest(session, { repository, name, signal }),
    );
  }

  /** Fetches a manifest or index by tag or digest. @throws {RegistryError} MANIFEST_NOT_FOUND, … */
  async fetchManifest(name: string, { signal }: Cancellable = {}): Promise<FetchedDocument> {
    return await this.#read(name, signal, (session, repository) =>
      fetchManifest(session, { repository, name, signal }),
    );
  }

  /**
   * Puts a manifest or index under a tag, or under its digest alone. What it lists must be there already. A manifest
   * with a subject becomes findable as its referrer, also where the registry does not see to that itself.
   * @throws {RegistryError} @throws {OciError} DOCUMENT_INVALID
   */
  async pushManifest(
    bytes: Uint8Array,
    options: {
      readonly mediaType: string;
      readonly digest?: Digest | undefined;
      readonly tag?: string | undefined;
      readonly isNew?: boolean | undefined;
    } & Cancellable,
  ): Promise<Descriptor> {
    const { mediaType, tag, isNew = false, signal } = options;
    const descriptor = { mediaType, digest: options.digest ?? digestOf(bytes), size: bytes.byteLength };
    verifyBytes(bytes, descriptor);
    const document = decodeManifestDocument(bytes, mediaType);
    const content = document.kind === "index" ? document.index : document.manifest;
    const { subject } = content;
    const { session, repository } = await this.#upstream();
    // With a subject the answer is needed: it tells whether the registry has noted the referrer.
    const always = isNew || subject !== undefined;
    const result = await pushManifest(session, { repository, descriptor, bytes, tag, always, signal });
    this.#deps.onEvent?.({
      kind: "manifest-pushed",
      registry: this.registry,
      repository: this.name,
      digest: descriptor.digest,
      ...(tag === undefined ? {} : { tag }),
    });
    if (subject !== undefined && result.subject === undefined) {
      const referrer = referrerDescriptor(descriptor, content);
      await this.#inTurn(subject.digest, () =>
        noteReferrer(session, { repository, subject, referrer, signal }),
      );
    }
    return descriptor;
  }

  /** Opens a blob; see `BlobSource`. Broken connections are mended on the way. */
  async openBlob(descriptor: Descriptor, options: OpenBlobOptions = {}): Promise<AsyncIterable<Uint8Array>> {
    const { offset = 0, transient, signal } = options;
    const inline = inlineContent(descriptor);
    if (inline !== undefined) return bytesOnce(inline.subarray(offset));
    const { clock, policy, onEvent, known, streams } = this.#deps;
    let bytes: AsyncIterable<Uint8Array>;
    try {
      bytes = await fetchBlob(
        { repository: this.name, descriptor, offset, transient, signal },
        { clock, policy, onEvent, streams, readers: () => this.#blobReaders(descriptor.digest) },
      );
      known.note(this.registry, this.name, descriptor.digest);
    } catch (error) {
      if (foreignUrls(descriptor).length === 0 || !isBlobMissing(error)) throw error;
      const { foreignLayers, sender } = this.#deps;
      if (foreignLayers !== true) throw foreignNotAllowed(descriptor, error);
      bytes = await openForeignBlob(sender, { descriptor, offset, signal });
    }
    return onEvent === undefined
      ? bytes
      : reportPull(bytes, this.blobContext(descriptor), { offset, onEvent });
  }

  /** From now on this blob comes from the registry itself: what a mirror gave did not have the digest. */
  distrustMirrors(digest: Digest): void {
    this.#deps.distrusted.add(`${this.registry} ${digest}`);
  }

  /** What this client takes for present here may have gone: it will look again. */
  forgetBlobs(blobs: readonly Descriptor[]): void {
    for (const { digest } of blobs) this.#deps.known.forget(this.registry, this.name, digest);
  }

  /** What events say about a blob of this repository. */
  blobContext({ digest, size }: Descriptor): BlobContext {
    return { registry: this.registry, repository: this.name, digest, size };
  }

  async hasBlob(descriptor: Descriptor, { signal }: Cancellable = {}): Promise<boolean> {
    const { known } = this.#deps;
    if (known.has(this.registry, this.name, descriptor.digest)) return true;
    const { session, repository } = await this.#upstream();
    const found = await hasBlob(session, { repository, descriptor, signal });
    if (found) known.note(this.registry, this.name, descriptor.digest);
    return found;
  }

  /** Bytes of a blob that only its digest is known of. @throws {RegistryError} BLOB_NOT_FOUND, … */
  async statBlob(
    digest: Digest,
    { signal }: Cancellable = {},
  ): Promise<{ readonly size: number | undefined }> {
    const { session, repository } = await this.#upstream();
    return { size: await statBlob(session, { repository, digest, signal }) };
  }

  /** How much may be pulled, where the registry tells it; `name` is a tag that is there. */
  async fetchRateLimit(name: string, { signal }: Cancellable = {}): Promise<RateLimit | undefined> {
    const { session, repository } = await this.#upstream();
    return await fetchRateLimit(session, { repository, name, signal });
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
    return await this.#uploads.push(descriptor, open, options);
  }

  /**
   * Begins to send a blob that is still being made, and returns. Once it is made and is pushed, that push waits for this
   * one; if this one did not work, the blob goes whole.
   */
  pushGrowing(blob: GrowingBlob, { signal }: Cancellable = {}): void {
    this.#uploads.pushGrowing(blob, signal);
  }

  /** Tags, page by page. @throws {RegistryError} NOT_FOUND */
  async *listTags({ signal }: Cancellable = {}): AsyncGenerator<readonly string[], void, undefined> {
    const { session, repository } = await this.#upstream();
    yield* listTags(session, { repository, signal });
  }

  /** What refers to a manifest: signatures, attestations and the like. */
  async listReferrers(
    subject: Digest,
    { artifactType, signal }: { readonly artifactType?: string } & Cancellable = {},
  ): Promise<readonly Descriptor[]> {
    const { session, repository } = await this.#upstream();
    return await listReferrers(session, { repository, subject, artifactType, signal });
  }

  /**
   * Deletes a manifest (by digest, with all its tags) or one tag. False when it was not there.
   * @throws {RegistryError} UNSUPPORTED where the registry does not allow it
   */
  async deleteManifest(name: string, { signal }: Cancellable = {}): Promise<boolean> {
    const { session, repository } = await this.#upstream();
    if (isDigest(name)) await this.#forgetSubject(name, signal);
    return await deleteManifest(session, { repository, name, signal });
  }

  /** What deleting images with all that they list comes to; see `DeletionPlan`. @throws {RegistryError} REFUSED */
  async planDeletion(names: readonly string[], { signal }: Cancellable = {}): Promise<DeletionPlan> {
    const { session, repository } = await this.#upstream();
    return await planDeletion(session, { repository, names, signal });
  }

  /** A referrer that is about to go leaves the list where we may have put it. */
  async #forgetSubject(digest: Digest, signal: AbortSignal | undefined): Promise<void> {
    const { session, repository } = await this.#upstream();
    let document: FetchedDocument;
    try {
      document = await fetchManifest(session, { repository, name: digest, signal });
    } catch {
      // Not there, or not readable as a manifest: then it is nobody's referrer that we noted.
      signal?.throwIfAborted();
      return;
    }
    const { subject } = document.kind === "index" ? document.index : document.manifest;
    if (subject === undefined) return;
    const referrer = document.descriptor;
    await this.#inTurn(subject.digest, () =>
      forgetReferrer(session, { repository, subject, referrer, signal }),
    );
  }

  /** The registry itself, and what it calls this repository. */
  async #upstream(): Promise<{ readonly session: HostSession; readonly repository: string }> {
    const session = await this.#deps.sessions.upstream(this.registry, this.name);
    return { session, repository: session.wireName(this.name) };
  }

  async #read<T>(
    name: string,
    signal: AbortSignal | undefined,
    action: (session: HostSession, repository: string) => Promise<T>,
  ): Promise<T> {
    const want: Want = isDigest(name) ? "manifest-by-digest" : "manifest-by-tag";
    return await this.#deps.sessions.read(
      { registry: this.registry, repository: this.name },
      want,
      (session) => action(session, session.wireName(this.name)),
      signal,
    );
  }

  async #blobReaders(digest: Digest): Promise<readonly HostSession[]> {
    const { sessions, distrusted } = this.#deps;
    const readers = await sessions.readers(this.registry, this.name, "blob");
    if (!distrusted.has(`${this.registry} ${digest}`) || readers.length === 1) return readers;
    const upstream = await sessions.upstream(this.registry, this.name);
    upstream.warn(`A mirror had wrong bytes for blob "${digest}", which comes from the registry itself now`);
    return [upstream];
  }

  /** Lists of referrers are read, changed and written: one at a time for each subject. */
  async #inTurn(subject: Digest, work: () => Promise<void>): Promise<void> {
    await this.#deps.referrerQueue.run(`${this.registry}/${this.name} ${subject}`, work);
  }
}

function isBlobMissing(error: unknown): boolean {
  return error instanceof OciError && error.code === "BLOB_NOT_FOUND";
}
