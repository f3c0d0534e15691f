/**
 * The part of the OCI runtime specification's config.json that we write.
 * @see https://github.com/opencontainers/runtime-spec/blob/v1.0.2/config.md
 */
export interface RuntimeSpec {
  readonly ociVersion: string;
  readonly process: RuntimeProcess;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly hostname: string;
  readonly mounts: readonly RuntimeMount[];
  readonly linux: RuntimeLinux;
}

export interface RuntimeProcess {
  readonly terminal: boolean;
  readonly user: {
    readonly uid: number;
    readonly gid: number;
    readonly umask: number;
    readonly additionalGids: readonly number[];
  };
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: Readonly<Record<CapabilitySet, readonly string[]>>;
  readonly rlimits: readonly RuntimeRlimit[];
  readonly noNewPrivileges: boolean;
}

export type CapabilitySet = "bounding" | "effective" | "inheritable" | "permitted" | "ambient";

export interface RuntimeRlimit {
  /** `RLIMIT_NOFILE` and the like. */
  readonly type: string;
  readonly soft: number;
  readonly hard: number;
}

export interface RuntimeMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface RuntimeLinux {
  readonly namespaces: readonly { readonly type: string }[];
  readonly resources?: RuntimeResources;
  readonly seccomp?: RuntimeSeccomp;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  readonly devices?: readonly RuntimeDevice[];
  readonly cgroupsPath?: string;
}

export interface RuntimeResources {
  readonly devices: readonly { readonly allow: boolean; readonly access: string }[];
}

export interface RuntimeDevice {
  readonly path: string;
  readonly type: "c" | "b";
  readonly major: number;
  readonly minor: number;
}

export interface RuntimeSeccomp {
  readonly defaultAction: string;
  /** What a call returns on the default action SCMP_ACT_ERRNO. */
  readonly defaultErrnoRet?: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly SeccompRule[];
}

export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArgument[];
}

export interface SeccompArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: string;
}
