import fc from "fast-check";

/** Pieces that mean something to a Dockerfile, so that random texts get past the first character. */
const PIECES = [
  "FROM", "from", "RUN", "COPY", "ADD", "ENV", "LABEL", "ARG", "CMD", "ENTRYPOINT", "ONBUILD", "HEALTHCHECK", "SHELL", "USER",
  "WORKDIR", "EXPOSE", "VOLUME", "STOPSIGNAL", "MAINTAINER", "NONE", " AS ", " as ", " ", "  ", "\t", "\n", "\n", "\n", "\r\n",
  "\\\n", "\\ \n", "`\n", "\\", "`", "\\\\", "# ", "#", "# escape=`\n", "# escape=\\\n", "# syntax=a\n", "# check=skip=all\n",
  "--from=a", "--mount=type=cache,target=/x", "--mount=", "--link", "--platform=$X", "--", "-", "--interval=5s", "--network=none",
  "<<EOF", "<<-EOF", '<<"EOF"', "<< EOF", "\nEOF\n", "\n\tEOF\n", "EOF", "<<", "3<<x", "\nx\n", "[", "]", '["a", "b"]', '["a",',
  '"', "'", '"a b"', "'a b'", "=", "a=b", 'k="v w"', "$", "${", "}", "${x:-y}", "${x/a/b}", "$x", "alpine", "/a", ".", "80/tcp", "é",
  "日本", "\u00a0", "\u0085", "\u2028", "\ufeff", "\0", "\u001b", "\ud800", "\udc80", "😀", "İ", "K", "%", "{}", "null", "1e999",
] as const; // biome-ignore format: a list of words reads best as one

/** Texts made of such pieces. */
export const dockerfileText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...PIECES) },
      { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 6 }) },
    ),
    {
      maxLength: 60,
    },
  )
  .map((pieces) => pieces.join(""));

/** One instruction after another, each likely to be right. */
export const likelyDockerfile: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom("", "# escape=`\n", "\ufeff", "# comment\n\n"),
    fc.array(
      dockerfileText.map((text) => text.replaceAll("\n", "\\\n")),
      { maxLength: 6 },
    ),
  )
  .map(
    ([head, lines]) =>
      `${head}FROM alpine AS a\n${lines.map((line, i) => `${["RUN", "ENV", "COPY", "LABEL", "ARG", "CMD"][i]} ${line}\n`).join("")}`,
  );
