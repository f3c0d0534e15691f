/*
 * The words of platforms, as Go and containerd have them.
 * See https://pkg.go.dev/github.com/containerd/platforms
 */

/** Operating systems that Go knows: a platform of one of these words leaves its architecture to the reader. */
export const KNOWN_OS: ReadonlySet<string> = new Set(
  "aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris windows zos".split(
    " ",
  ),
);

/** Architectures that Go knows. */
export const KNOWN_ARCHITECTURES: ReadonlySet<string> = new Set(
  (
    "386 amd64 amd64p32 arm armbe arm64 arm64be ppc64 ppc64le loong64 mips mipsle mips64 mips64le " +
    "mips64p32 mips64p32le ppc riscv riscv64 s390 s390x sparc sparc64 wasm"
  ).split(" "),
);

/** An operating system's one name. */
export function normalizeOs(os: string): string {
  const lower = os.toLowerCase();
  return lower === "macos" ? "darwin" : lower;
}

/**
 * An architecture's one name, and its variant without what goes without saying. A variant of arm, and any other, stays as it
 * is written: containerd's functions do not agree on those.
 */
export function normalizeArchitecture(
  name: string,
  variantName: string,
): { readonly architecture: string; readonly variant: string } {
  const architecture = name.toLowerCase();
  const variant = variantName.toLowerCase();
  switch (architecture) {
    case "i386":
      return { architecture: "386", variant: "" };
    case "x86_64":
    case "x86-64":
    case "amd64":
      return { architecture: "amd64", variant: variant === "v1" ? "" : variant };
    case "aarch64":
    case "arm64":
      return { architecture: "arm64", variant: ["8", "v8", "v8.0"].includes(variant) ? "" : variant };
    case "armhf":
      return { architecture: "arm", variant: "v7" };
    case "armel":
      return { architecture: "arm", variant: "v6" };
    default:
      return { architecture, variant };
  }
}
