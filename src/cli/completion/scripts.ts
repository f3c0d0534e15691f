import type { OptionSpec } from "../args/option-table.ts";
import type { CommandEntry } from "../command.ts";

/** A command with what can be completed after it. */
interface Words {
  /** `cache ls`, or `cache` alone for the head of a family. */
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly { readonly name: string; readonly spec: OptionSpec }[];
}

/** A shell's script that completes commands and flags, made from the tables that the commands themselves use. */
export async function completionScript(
  shell: "bash" | "zsh" | "fish",
  commands: readonly CommandEntry[],
): Promise<string> {
  const words = await Promise.all(
    commands.map(async ({ name, summary, load }): Promise<Words> => {
      const shown = Object.entries((await load()).options).filter(([, spec]) => spec.hidden !== true);
      return { name, summary, flags: shown.map(([flag, spec]) => ({ name: flag, spec })) };
    }),
  );
  switch (shell) {
    case "bash":
      return bashScript(words);
    case "zsh":
      return zshScript(words);
    case "fish":
      return fishScript(words);
    default:
      return shell satisfies never;
  }
}

function bashScript(words: readonly Words[]): string {
  const cases = words.map(
    ({ name, flags }) =>
      `    "${name}") flags="${flags.map((flag) => `--${flag.name}`).join(" ")} --help" ;;`,
  );
  const families = familyNames(words).map(
    (family) => `    ${family}) below="${secondWords(words, family).join(" ")}" ;;`,
  );
  return `# bash completion for strake
_strake() {
  local current="\${COMP_WORDS[COMP_CWORD]}" first="\${COMP_WORDS[1]}" name below= flags=
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W "${firstWords(words).join(" ")} --help --version" -- "$current"))
    return
  fi
  case $first in
${families.join("\n")}
  esac
  if [[ -n $below ]] && ((COMP_CWORD == 2)); then
    COMPREPLY=($(compgen -W "$below --help" -- "$current"))
    return
  fi
  name=$first
  [[ -n $below ]] && name="$first \${COMP_WORDS[2]}"
  case $name in
${cases.join("\n")}
  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _strake strake
`;
}

function zshScript(words: readonly Words[]): string {
  const cases = words.map(({ name, flags }) => {
    const specs = flags.map(({ name: flag, spec }) => {
      const repeated = spec.type === "list" ? "*" : "";
      const [sign, value] = spec.type === "boolean" ? ["", ""] : ["=", ":value:_files"];
      return zshQuote(`${repeated}--${flag}${sign}[${zshText(spec.summary)}]${value}`);
    });
    return `    ${zshQuote(name)}) _arguments ${[...specs, zshQuote("--help[Show the flags]"), zshQuote("*:file:_files")].join(" ")} ;;`;
  });
  const firsts = firstWords(words).map((word) => zshQuote(`${word}:${summaryOf(words, word)}`));
  const families = familyNames(words).map((family) => {
    const entries = secondWords(words, family).map((second) =>
      zshQuote(`${second}:${summaryOf(words, `${family} ${second}`)}`),
    );
    return `    ${family}) below=(${entries.join(" ")}) ;;`;
  });
  return `#compdef strake
# zsh completion for strake
_strake() {
  local -a commands below
  local name=$words[2]
  if ((CURRENT == 2)); then
    commands=(${firsts.join(" ")})
    _describe command commands
    return
  fi
  case $name in
${families.join("\n")}
  esac
  if ((\${#below})); then
    if ((CURRENT == 3)); then
      _describe command below
      return
    fi
    name="$name $words[3]"
    shift words
    ((CURRENT--))
  fi
  shift words
  ((CURRENT--))
  case $name in
${cases.join("\n")}
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _strake "$@"; else compdef _strake strake; fi
`;
}

function fishScript(words: readonly Words[]): string {
  const lines = ["# fish completion for strake"];
  for (const word of firstWords(words)) {
    lines.push(
      `complete -c strake -n __fish_use_subcommand -f -a ${word} -d ${fishQuote(summaryOf(words, word))}`,
    );
  }
  for (const family of familyNames(words)) {
    for (const second of secondWords(words, family)) {
      const isAsked = `__fish_seen_subcommand_from ${family}; and not __fish_seen_subcommand_from ${secondWords(words, family).join(" ")}`;
      const summary = fishQuote(summaryOf(words, `${family} ${second}`));
      lines.push(`complete -c strake -n ${fishQuote(isAsked)} -f -a ${second} -d ${summary}`);
    }
  }
  for (const { name, flags } of words) {
    const isThere = fishQuote(
      name
        .split(" ")
        .map((word) => `__fish_seen_subcommand_from ${word}`)
        .join("; and "),
    );
    for (const { name: flag, spec } of flags) {
      const short = spec.short === undefined ? "" : ` -s ${spec.short}`;
      const value = spec.type === "boolean" ? "" : " -r";
      lines.push(`complete -c strake -n ${isThere}${short} -l ${flag}${value} -d ${fishQuote(spec.summary)}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function firstWords(words: readonly Words[]): string[] {
  return [...new Set(words.map(({ name }) => name.split(" ")[0] as string))];
}

function familyNames(words: readonly Words[]): string[] {
  return [
    ...new Set(
      words.filter(({ name }) => name.includes(" ")).map(({ name }) => name.split(" ")[0] as string),
    ),
  ];
}

function secondWords(words: readonly Words[], family: string): string[] {
  return words
    .filter(({ name }) => name.startsWith(`${family} `))
    .map(({ name }) => name.split(" ")[1] as string);
}

function summaryOf(words: readonly Words[], name: string): string {
  return words.find((candidate) => candidate.name === name)?.summary ?? "Commands below it";
}

function zshQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Inside the brackets and colons of a zsh specification. */
function zshText(text: string): string {
  return text.replace(/[[\]:\\]/g, "\\$&");
}

function fishQuote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
