/** A git repository as a source: `https://host/repo.git#ref:subdir`, `git@host:repo`, `git://…`, `ssh://…`. */
export interface GitSource {
  readonly remote: string;
  readonly ref?: string;
  readonly subdir?: string;
}

/** The repository that a source names; undefined for paths and for URLs of plain files. */
export function parseGitSource(text: string): GitSource | undefined {
  const isScp = /^[a-zA-Z0-9._-]+@[a-zA-Z0-9.-]+:(?!\/\/)/.test(text);
  const isGitScheme = /^(git|ssh):\/\//.test(text);
  const isHttpRepository = /^https?:\/\/[^#?]+\.git\/?([#?].*)?$/.test(text);
  if (!isScp && !isGitScheme && !isHttpRepository) return undefined;
  const hash = text.indexOf("#");
  const remote = hash < 0 ? text : text.slice(0, hash);
  if (hash < 0) return { remote };
  const [ref = "", ...subdir] = text.slice(hash + 1).split(":");
  return {
    remote,
    ...(ref === "" ? {} : { ref }),
    ...(subdir.length === 0 || subdir.join(":") === "" ? {} : { subdir: subdir.join(":") }),
  };
}
