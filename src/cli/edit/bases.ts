import {
  BASE_DIGEST,
  BASE_NAME,
  type BaseImage,
  type ImageContent,
  type NewBase,
  readImage,
} from "../../builder/edit/index.ts";
import {
  type BlobOpener,
  type Descriptor,
  type Digest,
  type FetchedDocument,
  type FetchedManifest,
  formatPlatform,
  formatReference,
  isDigest,
  type Platform,
  parseReference,
} from "../../oci/index.ts";
import { CliError } from "../error.ts";
import { type OpenedSource, openSource } from "../images/open-source.ts";
import { parsePlace } from "../images/place.ts";
import type { Workbench } from "../images/workbench.ts";
import { suggestingTags } from "../registry/suggest-tag.ts";

interface BaseNames {
  /** As given; undefined for what an image's annotations say. */
  readonly old: string | undefined;
  readonly new: string | undefined;
}

/** The bases of a rebase, each opened once. Disposing closes them. */
export class Bases implements AsyncDisposable {
  readonly #bench: Workbench;
  readonly #names: BaseNames;
  readonly #sources = new Map<string, Promise<OpenedSource>>();
  /** Layers of new bases. */
  readonly #layers = new Map<Digest, Descriptor>();
  readonly #origins = new Map<Digest, OpenedSource>();

  constructor(bench: Workbench, names: BaseNames) {
    this.#bench = bench;
    this.#names = names;
  }

  /** @throws {CliError} INPUT_UNUSABLE when nothing says what the bases are */
  async find(
    platform: Platform,
    image: FetchedManifest,
    root: FetchedDocument,
  ): Promise<{ readonly from: BaseImage; readonly to: NewBase }> {
    const told = annotationsOf(image, root);
    const name = told[BASE_NAME];
    const oldName = this.#names.old ?? pinned(name, told[BASE_DIGEST]);
    const newName = this.#names.new ?? name;
    if (oldName === undefined) throw unknownBase("old", formatPlatform(platform));
    if (newName === undefined) throw unknownBase("new", formatPlatform(platform));
    const from = await this.#read(oldName, platform);
    const to = await this.#read(newName, platform);
    for (const layer of to.image.layers) {
      this.#layers.set(layer.digest, layer);
      this.#origins.set(layer.digest, to.source);
    }
    return {
      from: { ...from.image, shown: oldName },
      to: { ...to.image, shown: newName, name: to.source.fullName },
    };
  }

  /** How to open the layers of the new bases. */
  blobs(): ReadonlyMap<Digest, BlobOpener> {
    const openers = new Map<Digest, BlobOpener>();
    for (const [digest, layer] of this.#layers) {
      const source = this.#origins.get(digest);
      if (source !== undefined) openers.set(digest, (at) => source.from.openBlob(layer, at));
    }
    return openers;
  }

  /** Where a layer of a new base may be mounted from. */
  async mountFrom(blob: Descriptor): Promise<readonly string[]> {
    return (await this.#origins.get(blob.digest)?.mountFrom(blob)) ?? [];
  }

  async #read(
    text: string,
    platform: Platform,
  ): Promise<{ readonly source: OpenedSource; readonly image: ImageContent & { readonly digest: Digest } }> {
    const { signal, cwd } = this.#bench.context;
    const place = parsePlace(text, { cwd, plain: "registry" });
    let opening = this.#sources.get(text);
    if (opening === undefined) {
      opening = openSource(place, this.#bench);
      this.#sources.set(text, opening);
    }
    const source = await opening;
    const read = () => readImage(source.from, source.name, { platform, signal });
    const image =
      place.kind === "registry"
        ? await suggestingTags(await this.#bench.client(), place.reference, read, signal)
        : await read();
    return { source, image };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const opening of this.#sources.values()) {
      const source = await opening.catch(() => undefined);
      await source?.[Symbol.asyncDispose]();
    }
  }
}

function annotationsOf(image: FetchedManifest, root: FetchedDocument): Readonly<Record<string, string>> {
  return { ...(root.kind === "index" ? root.index.annotations : {}), ...image.manifest.annotations };
}

/** The base as it was when the image was built. */
function pinned(name: string | undefined, digest: string | undefined): string | undefined {
  if (name === undefined || digest === undefined || !isDigest(digest)) return undefined;
  const { registry, repository } = parseReference(name);
  return formatReference({ registry, repository, digest });
}

function unknownBase(which: "old" | "new", platform: string): CliError {
  return new CliError(
    "INPUT_UNUSABLE",
    `Cannot rebase the image for ${platform}: its annotations do not say what its base ${which === "old" ? "was" : "is called"}`,
    { hint: `Name the base with --${which}-base` },
  );
}
