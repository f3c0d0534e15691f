/** How an instruction's arguments are cut into tokens. */
export type ArgumentForm =
  /** Words between blanks. */
  | "words"
  /** A JSON array of strings, or else words. */
  | "json-or-words"
  /** A JSON array of strings, or else one text. */
  | "json-or-text"
  | "text"
  /** `key=value` pairs, or the old `key value`. */
  | "settings"
  | "definitions"
  /** CMD or NONE, then a JSON array or text. */
  | "check"
  | "trigger";

export interface Keyword {
  /** Upper case, as a terminal of the grammar. */
  readonly terminal: InstructionName;
  readonly form: ArgumentForm;
  readonly heredocs: boolean;
}

export type InstructionName =
  | "FROM"
  | "ARG"
  | "ENV"
  | "LABEL"
  | "MAINTAINER"
  | "EXPOSE"
  | "STOPSIGNAL"
  | "USER"
  | "WORKDIR"
  | "VOLUME"
  | "RUN"
  | "CMD"
  | "ENTRYPOINT"
  | "SHELL"
  | "HEALTHCHECK"
  | "COPY"
  | "ADD"
  | "ONBUILD";

const FORMS: Readonly<Record<InstructionName, ArgumentForm>> = {
  FROM: "words",
  ARG: "definitions",
  ENV: "settings",
  LABEL: "settings",
  MAINTAINER: "text",
  EXPOSE: "words",
  STOPSIGNAL: "text",
  USER: "text",
  WORKDIR: "text",
  VOLUME: "json-or-words",
  RUN: "json-or-text",
  CMD: "json-or-text",
  ENTRYPOINT: "json-or-text",
  SHELL: "json-or-text",
  HEALTHCHECK: "check",
  COPY: "json-or-words",
  ADD: "json-or-words",
  ONBUILD: "trigger",
};

const WITH_HEREDOCS: ReadonlySet<string> = new Set(["RUN", "COPY", "ADD"]);

/** All instructions, by lower-case name. */
export const KEYWORDS: ReadonlyMap<string, Keyword> = new Map(
  (Object.entries(FORMS) as [InstructionName, ArgumentForm][]).map(([terminal, form]) => [
    terminal.toLowerCase(),
    { terminal, form, heredocs: WITH_HEREDOCS.has(terminal) },
  ]),
);
