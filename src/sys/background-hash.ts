import { createRequire } from "node:module";

/** What this process's OpenSSL is asked for. */
export type HashAlgorithm = "sha256" | "sha384" | "sha512";

/** A hash that is computed on the threads of libuv's pool, out of memory that this thread shares with them. */
export interface BackgroundHash {
  /** `bytes` must stay as they are until the promise is fulfilled, and must not be followed by others before. */
  update(bytes: Uint8Array): Promise<void>;
  /** The same on this thread: for few bytes, to which a thread is not worth waking. */
  updateHere(bytes: Uint8Array): void;
  /** The hash in hex, once; then it is ended. */
  digest(): string;
  /** Ends it. May be called at any moment, and again. */
  free(): void;
}

/** A pointer, as koffi gives it. */
type Pointer = unknown;

interface Update {
  (context: Pointer, bytes: Uint8Array, count: number): number;
  async(
    context: Pointer,
    bytes: Uint8Array,
    count: number,
    done: (error: Error | null, result: number) => void,
  ): void;
}

interface Evp {
  readonly create: () => Pointer;
  readonly free: (context: Pointer) => void;
  readonly algorithm: Readonly<Record<HashAlgorithm, () => Pointer>>;
  readonly begin: (context: Pointer, algorithm: Pointer, engine: null) => number;
  readonly update: Update;
  readonly finish: (context: Pointer, out: Uint8Array, length: null) => number;
}

const HASH_BYTES: Readonly<Record<HashAlgorithm, number>> = { sha256: 32, sha384: 48, sha512: 64 };

/**
 * Begins a hash; undefined where OpenSSL's functions cannot be called: Node has them for its addons, something that is
 * like Node may not. Loading koffi takes some 6 ms.
 * @see https://docs.openssl.org/3.0/man3/EVP_DigestInit/
 */
export function startBackgroundHash(algorithm: HashAlgorithm): BackgroundHash | undefined {
  const evp = bindEvp();
  if (evp === undefined) return undefined;
  const context = evp.create();
  if (context === null) return undefined;
  if (evp.begin(context, evp.algorithm[algorithm](), null) === 1) return new EvpHash(evp, context, algorithm);
  evp.free(context);
  return undefined;
}

class EvpHash implements BackgroundHash {
  readonly #evp: Evp;
  readonly #context: Pointer;
  readonly #algorithm: HashAlgorithm;
  #isBusy = false;
  #isEnded = false;

  constructor(evp: Evp, context: Pointer, algorithm: HashAlgorithm) {
    this.#evp = evp;
    this.#context = context;
    this.#algorithm = algorithm;
  }

  update(bytes: Uint8Array): Promise<void> {
    this.#checkFree();
    this.#isBusy = true;
    return new Promise((resolve, reject) => {
      this.#evp.update.async(this.#context, bytes, bytes.byteLength, (error, result) => {
        this.#isBusy = false;
        // Freeing it while the thread was at work would have been the end of the process.
        if (this.#isEnded) this.#evp.free(this.#context);
        if (error === null && result === 1) resolve();
        else reject(error ?? failed("EVP_DigestUpdate"));
      });
    });
  }

  updateHere(bytes: Uint8Array): void {
    this.#checkFree();
    if (this.#evp.update(this.#context, bytes, bytes.byteLength) !== 1) throw failed("EVP_DigestUpdate");
  }

  digest(): string {
    this.#checkFree();
    const out = Buffer.alloc(HASH_BYTES[this.#algorithm]);
    const result = this.#evp.finish(this.#context, out, null);
    this.free();
    if (result !== 1) throw failed("EVP_DigestFinal_ex");
    return out.toString("hex");
  }

  free(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (!this.#isBusy) this.#evp.free(this.#context);
  }

  #checkFree(): void {
    if (this.#isEnded) throw new Error("invariant: a hash that has ended is not used");
    if (this.#isBusy) throw new Error("invariant: a hash is not used while a thread is at work on it");
  }
}

const bindEvp: () => Evp | undefined = once(() => {
  try {
    return loadEvp();
  } catch {
    return undefined; // koffi has no such function: it says so by throwing
  }
});

function loadEvp(): Evp {
  const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
  const library = koffi.load(null);
  const declare = <T>(prototype: string): T => library.func(prototype) as unknown as T;
  return {
    create: declare("void *EVP_MD_CTX_new()"),
    free: declare("void EVP_MD_CTX_free(void *context)"),
    algorithm: {
      sha256: declare("const void *EVP_sha256()"),
      sha384: declare("const void *EVP_sha384()"),
      sha512: declare("const void *EVP_sha512()"),
    },
    begin: declare("int EVP_DigestInit_ex(void *context, const void *algorithm, void *engine)"),
    update: declare("int EVP_DigestUpdate(void *context, const void *bytes, size_t count)"),
    finish: declare("int EVP_DigestFinal_ex(void *context, void *out, void *length)"),
  };
}

function failed(what: string): Error {
  return new Error(`${what} of OpenSSL failed`);
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
