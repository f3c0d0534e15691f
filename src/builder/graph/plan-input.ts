import type { Platform } from "../../oci/index.ts";
import type { Dockerfile } from "../../parser/index.ts";
import type { ResolvedImage } from "../resolved-image.ts";
import type { BuildOptions, ContextSource } from "../types.ts";
import type { GraphBuilder } from "./graph-builder.ts";

/** What the build of one platform is planned from. */
export interface PlanInput {
  readonly dockerfile: Dockerfile;
  readonly options: BuildOptions;
  readonly buildPlatform: Platform;
  readonly targetPlatform: Platform;
  /** The build was asked for the target platform by name: the result then says that it is for it. */
  readonly isPlatformGiven: boolean;
  readonly graph: GraphBuilder;
  /** Looks a base image up; asked for each image that the target needs. */
  readonly resolveImage: (name: string, platform: Platform) => Promise<ResolvedImage>;
  readonly resolveLayout: (
    name: string,
    layout: ContextSource & { readonly kind: "oci-layout" },
    platform: Platform,
  ) => Promise<ResolvedImage>;
}
