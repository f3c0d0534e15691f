/** One of the rules that a Dockerfile is checked against. Names and meaning are BuildKit's build checks. */
export interface BuildCheck {
  readonly name: string;
  /** What it is about, in a sentence. */
  readonly description: string;
  /** A page that explains it. */
  readonly url: string;
  /** Checked only where `# check=experimental=NAME` asks for it. */
  readonly isExperimental: boolean;
}

export function buildCheck(
  name: string,
  description: string,
  options: { readonly isExperimental?: boolean } = {},
): BuildCheck {
  const page = name
    .replace(/([a-z])([A-Z])/g, "$1-$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1-$2")
    .toLowerCase();
  return {
    name,
    description,
    url: `https://docs.docker.com/go/dockerfile/rule/${page}/`,
    isExperimental: options.isExperimental ?? false,
  };
}
