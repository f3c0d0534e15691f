import type { OnEvent } from "../../builder/index.ts";
import type { OnRegistryEvent, RegistryClient } from "../../registry/index.ts";
import type { Store } from "../../store/index.ts";
import type { CommandContext } from "../command.ts";
import { openStore } from "../open-store.ts";
import { plainListener } from "../registry/open-plain.ts";
import { openRegistry } from "../registry/open-registry.ts";

/** One without a view of its progress: what is worth a line goes to standard error. */
export function openWorkbench(context: CommandContext): Workbench {
  return new Workbench(context, { onRegistryEvent: plainListener(context) });
}

/** The store and the registries, each opened when it is first needed. Disposing closes what was opened. */
export class Workbench implements AsyncDisposable {
  readonly context: CommandContext;
  readonly onEvent: OnEvent;
  readonly #onRegistryEvent: OnRegistryEvent;
  readonly #foreignLayers: boolean;
  #store: Promise<Store> | undefined;
  #client: Promise<RegistryClient> | undefined;

  constructor(
    context: CommandContext,
    {
      onEvent = () => undefined,
      onRegistryEvent,
      foreignLayers = false,
    }: {
      readonly onEvent?: OnEvent;
      readonly onRegistryEvent: OnRegistryEvent;
      /** See `RegistryClientOptions`. */
      readonly foreignLayers?: boolean | undefined;
    },
  ) {
    this.context = context;
    this.onEvent = onEvent;
    this.#onRegistryEvent = onRegistryEvent;
    this.#foreignLayers = foreignLayers;
  }

  store(): Promise<Store> {
    this.#store ??= openStore(this.context);
    return this.#store;
  }

  client(): Promise<RegistryClient> {
    this.#client ??= openRegistry(this.context.settings, this.#onRegistryEvent, {
      foreignLayers: this.#foreignLayers,
    });
    return this.#client;
  }

  /** A folder that goes with us, for what has to be unpacked or compressed on the way. */
  async tempFolder(): Promise<() => string> {
    const store = await this.store();
    return () => store.tmpDir;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    client?.close();
    const store = await this.#store?.catch(() => undefined);
    await store?.close();
  }
}
