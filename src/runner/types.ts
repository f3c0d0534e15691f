/**
 * One extra mount of a RUN. Sources are absolute paths on the host, whose symlinks are followed there; targets are
 * absolute paths in the container, made when they are missing. Read-only holds for what is mounted below a source too.
 */
export type SandboxMount =
  | { readonly kind: "bind"; readonly source: string; readonly target: string; readonly readonly: boolean }
  | { readonly kind: "tmpfs"; readonly target: string; readonly sizeBytes?: number }
  /** A folder overlaid on others, writes discarded: `RUN --mount=type=bind,rw` from layers. Top layer first. */
  | {
      readonly kind: "overlay";
      readonly lower: readonly string[];
      readonly upper: string;
      readonly work: string;
      /** Folder or file inside the overlay to show; "/" for all of it. Symlinks in it never lead out of the overlay. */
      readonly subpath: string;
      readonly target: string;
      readonly readonly: boolean;
    };

export type NetworkMode = "host" | "none";

/** Everything a RUN needs to be executed; paths are real, users are numbers, nothing is left to look up. */
export interface SandboxSpec {
  /** Unpacked layers in overlay form, top first. May be empty (FROM scratch). */
  readonly lower: readonly string[];
  /**
   * Receives the changes: removed files as character devices 0/0, replaced folders with `user.overlay.opaque`. Other
   * `user.overlay.*` attributes in it are the kernel's notes.
   */
  readonly upper: string;
  /** Empty, on the same file system; what is in it afterwards is nobody's. */
  readonly work: string;
  readonly argv: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly cwd: string;
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  readonly mounts: readonly SandboxMount[];
  readonly network: NetworkMode;
  readonly hostname: string;
  /** `security=insecure` of RUN --security: all capabilities, no seccomp, writable /sys. */
  readonly insecure: boolean;
  /** Bytes of /dev/shm; Docker's default is 64 MiB. */
  readonly shmSizeBytes: number;
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  /** Extra lines of /etc/hosts: `--add-host`. */
  readonly extraHosts: readonly { readonly name: string; readonly address: string }[];
}

export interface SandboxResult {
  /** 0 to 255; 128 + n when killed by signal n. */
  readonly exitCode: number;
}

export interface SandboxRunOptions {
  /** Aborting kills every process of the container, waits for it to be gone, and throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly onOutput: (stream: "stdout" | "stderr", chunk: Uint8Array) => void;
  /**
   * The command reads and writes our own standard streams, `onOutput` is not called: for a person who looks around.
   * `terminal` gives it a terminal of its own, which ours is passed through to and is put right afterwards; our
   * standard input and output must then be one.
   */
  readonly attach?: { readonly terminal: boolean };
}

/**
 * How a RUN is isolated. After `run` resolves or throws, no process, mount or file outside `upper` is left,
 * and `upper` holds only what the command itself changed: no stubs of mount points, no resolv.conf or hosts.
 */
export interface Sandbox {
  /**
   * @throws {RunnerError} RUNTIME_MISSING, RUNTIME_FAILED (the container could not be set up; the hint says why),
   * COMMAND_NOT_FOUND / COMMAND_NOT_EXECUTABLE for an argv[0] that the rootfs lacks (Docker: exit codes 127 and 126)
   */
  run(spec: SandboxSpec, options: SandboxRunOptions): Promise<SandboxResult>;
}
