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

export interface BuildCheckOptions {
  /** The last part of the address of the rule's page. */
  readonly page: string;
  readonly isExperimental?: boolean;
}

export function buildCheck(name: string, description: string, options: BuildCheckOptions): BuildCheck {
  const { page, isExperimental = false } = options;
  return { name, description, url: `https://docs.docker.com/go/dockerfile/rule/${page}/`, isExperimental };
}
