import {
  type Digest,
  formatPlatform,
  formatReference,
  type Platform,
  parseReference,
  withDefaultTag,
} from "../../oci/index.ts";
import type { ResolvedImage } from "../resolved-image.ts";

/** Finds an image; `isFresh` means that the registry has to be asked. */
export type FindImage = (
  name: string,
  options: { readonly platform: Platform; readonly isFresh: boolean },
) => Promise<ResolvedImage>;

interface Answer {
  readonly full: string;
  readonly image: Promise<ResolvedImage>;
  /** Once it is known: what the name pointed at. */
  version?: Digest;
}

/**
 * The images that a build names, each looked up once for each platform, and each name in one version: what is known here of
 * one platform may be older than what the registry has for another.
 */
export class BaseImages {
  readonly #find: FindImage;
  readonly #isFresh: boolean;
  readonly #answers = new Map<string, Answer>();
  /** Names of which the registry has to be asked for every platform. */
  readonly #freshNames = new Set<string>();

  constructor(find: FindImage, { isFresh }: { readonly isFresh: boolean }) {
    this.#find = find;
    this.#isFresh = isFresh;
  }

  /** @throws whatever finding it throws */
  find(name: string, platform: Platform): Promise<ResolvedImage> {
    const key = `${name} ${formatPlatform(platform)}`;
    let answer = this.#answers.get(key);
    if (answer === undefined) {
      const full = fullName(name);
      const isFresh = this.#isFresh || this.#freshNames.has(full);
      const found: Answer = { full, image: this.#find(name, { platform, isFresh }) };
      found.image.then(
        ({ version }) => {
          found.version = version;
        },
        () => undefined,
      );
      this.#answers.set(key, found);
      answer = found;
    }
    return answer.image;
  }

  /**
   * Forgets the images of names that were found in several versions; the registry will be asked for them. Call it when
   * everything was looked up.
   * @returns whether there were any: then the build has to be planned again
   */
  forgetMixed(): boolean {
    const versions = new Map<string, Set<Digest | undefined>>();
    for (const { full, version } of this.#answers.values()) {
      if (this.#freshNames.has(full)) continue;
      versions.set(full, (versions.get(full) ?? new Set()).add(version));
    }
    const mixed = [...versions].filter(([, found]) => found.size > 1).map(([full]) => full);
    for (const full of mixed) this.#freshNames.add(full);
    for (const [key, { full }] of this.#answers) if (mixed.includes(full)) this.#answers.delete(key);
    return mixed.length > 0;
  }
}

/** One name for all its spellings; what can't be a name is found out when it is looked up. */
function fullName(name: string): string {
  try {
    return formatReference(withDefaultTag(parseReference(name)));
  } catch {
    return name;
  }
}
