import type { EscapeCharacter, HeredocNode, Item } from "../ast.ts";
import { DockerfileError } from "../error.ts";
import type { Range, Source } from "../source.ts";
import { skipSpace, trimSpace } from "../text/space.ts";
import { dropFirstByte } from "../text/utf8.ts";
import { matchDirective } from "./directive.ts";
import { findHeredocs, type HeredocOpener } from "./heredoc-words.ts";
import { LineReader, MAX_LINE_BYTES, type PhysicalLine } from "./line-reader.ts";
import { LogicalLine } from "./logical-line.ts";
import { type DraftNode, readInstruction } from "./read-instruction.ts";

/** Something that is allowed and yet should not be. */
export interface ParseWarning {
  readonly rule: "NoEmptyContinuation";
  readonly message: string;
  /** The instruction's last line, where BuildKit reports it. */
  readonly line: number;
}

export interface FileContents {
  readonly escape: EscapeCharacter;
  readonly items: readonly Item[];
  readonly warnings: readonly ParseWarning[];
}

/**
 * The first phase: the file as comments, directives and instructions with their heredocs.
 * @throws {DockerfileError}
 */
export function readFile(source: Source): FileContents {
  return new FileReader(source).read();
}

class FileReader {
  readonly #source: Source;
  readonly #lines: LineReader;
  readonly #items: Item[] = [];
  readonly #warnings: ParseWarning[] = [];
  readonly #directives = new Set<string>();
  /** Directives are looked for only until the first line that is none. */
  #mayBeDirective = true;
  #escape: EscapeCharacter = "\\";
  #comments: string[] = [];

  constructor(source: Source) {
    this.#source = source;
    this.#lines = new LineReader(source);
  }

  read(): FileContents {
    let count = 0;
    for (let line = this.#lines.read(); line !== undefined; line = this.#lines.read()) {
      if (this.#readLine(line)) count++;
    }
    if (this.#lines.tooLong !== undefined) throw this.#tooLong(this.#lines.tooLong);
    if (count === 0) throw this.#noInstructions();
    return { escape: this.#escape, items: this.#items, warnings: this.#warnings };
  }

  /** @returns whether the line was (the start of) an instruction */
  #readLine(line: PhysicalLine): boolean {
    const { text } = this.#source;
    const extent = { start: this.#skipBom(line), end: line.next };
    const first = skipSpace(text, extent.start, line.contentEnd);
    if (first >= line.contentEnd) {
      this.#mayBeDirective = false;
      if (extent.end > extent.start) this.#items.push({ kind: "blank", extent });
      return false;
    }
    if (text.charCodeAt(first) === 0x23) {
      this.#readComment(line, extent, first);
      return false;
    }
    this.#mayBeDirective = false;
    this.#readInstruction(line, extent.start, first);
    return true;
  }

  #skipBom(line: PhysicalLine): number {
    if (line.number !== 1 || !this.#source.text.startsWith("\ufeff")) return line.start;
    this.#items.push({ kind: "bom", extent: { start: 0, end: 1 } });
    return 1;
  }

  #readComment(line: PhysicalLine, extent: Range, first: number): void {
    const { text } = this.#source;
    const range = { start: first, end: line.contentEnd };
    const directive = this.#mayBeDirective
      ? matchDirective(text.slice(first, line.contentEnd), "#")
      : undefined;
    if (directive !== undefined) {
      const { name, value } = directive;
      this.#takeDirective(name, value, range);
      this.#items.push({ kind: "directive", extent, range, line: line.number, name, value });
      return;
    }
    this.#mayBeDirective = false;
    // BuildKit drops the line's first byte, which is the # only where the line is not indented.
    const comment = trimSpace(dropFirstByte(text.slice(extent.start, line.contentEnd)));
    if (comment === "") this.#comments = [];
    else this.#comments.push(comment);
    this.#items.push({ kind: "comment", extent, text: comment });
  }

  #takeDirective(name: string, value: string, range: Range): void {
    const fail = (reason: string, hint: string): DockerfileError =>
      new DockerfileError("BAD_DIRECTIVE", reason, { at: this.#source.span(range), hint });
    if (this.#directives.has(name)) {
      throw fail(`only one ${name} parser directive can be used`, "Remove this line or the earlier one");
    }
    this.#directives.add(name);
    if (name !== "escape") return;
    if (value !== "\\" && value !== "`") {
      throw fail(
        `invalid escape token '${value}' does not match \` or \\`,
        "Write # escape=` or leave the line out",
      );
    }
    this.#escape = value;
  }

  #readInstruction(firstLine: PhysicalLine, start: number, first: number): void {
    const { line, end, hasEmptyLine } = this.#join(firstLine, first);
    const { node, canHoldHeredocs } = readInstruction(line, this.#escape);
    const openers = canHoldHeredocs ? findHeredocs(line.text) : [];
    const heredocs: HeredocNode[] = [];
    let next = end;
    for (const opener of openers) {
      const heredoc = this.#readHeredoc(opener, line, next);
      heredocs.push(heredoc.node);
      next = heredoc.next;
    }
    if (hasEmptyLine) {
      this.#warnings.push({
        rule: "NoEmptyContinuation",
        message: `Empty continuation line found in: ${line.text}`,
        line: line.endLine,
      });
    }
    if (heredocs.length > 0) addHeredocs(node, heredocs);
    if (this.#comments.length > 0) {
      node.comments = this.#comments;
      this.#comments = [];
    }
    place(node, { start, end: next }, this.#lines.count);
    this.#items.push(node);
  }

  /** Joins the lines that an instruction continues on; comment lines between them are dropped, blank ones too. */
  #join(firstLine: PhysicalLine, first: number): { line: LogicalLine; end: number; hasEmptyLine: boolean } {
    const { text } = this.#source;
    const lines = { start: firstLine.number, end: firstLine.number };
    let mark = this.#continuation(first, firstLine.contentEnd);
    const begin = { start: first, end: mark ?? firstLine.contentEnd };
    let end = firstLine.next;
    let hasEmptyLine = false;
    if (mark === undefined) return { line: new LogicalLine(this.#source, [begin], lines), end, hasEmptyLine };
    const pieces: Range[] = [begin];
    while (mark !== undefined) {
      const line = this.#lines.read();
      if (line === undefined) break;
      end = line.next;
      const content = skipSpace(text, line.start, line.contentEnd);
      if (content >= line.contentEnd) {
        hasEmptyLine = true;
      } else if (text.charCodeAt(content) !== 0x23) {
        mark = this.#continuation(line.start, line.contentEnd);
        pieces.push({ start: line.start, end: mark ?? line.contentEnd });
      }
    }
    lines.end = this.#lines.count;
    const line = new LogicalLine(this.#source, pieces, lines);
    return { line, end, hasEmptyLine };
  }

  /**
   * Where a line's continuation mark stands: an escape character with nothing but spaces and tabs behind it and no other
   * escape character in front.
   */
  #continuation(start: number, end: number): number | undefined {
    const { text } = this.#source;
    let at = end;
    while (at > start && (text.charCodeAt(at - 1) === 0x20 || text.charCodeAt(at - 1) === 0x09)) at--;
    if (at === start || text.charAt(at - 1) !== this.#escape) return undefined;
    return at - 1 === start || text.charAt(at - 2) !== this.#escape ? at - 1 : undefined;
  }

  #readHeredoc(opener: HeredocOpener, line: LogicalLine, start: number): { node: HeredocNode; next: number } {
    const { text } = this.#source;
    for (let body = this.#lines.read(); body !== undefined; body = this.#lines.read()) {
      const contentStart = opener.chomp ? skipTabs(text, body.start, body.contentEnd) : body.start;
      const length = body.contentEnd - contentStart;
      if (length !== opener.name.length || !text.startsWith(opener.name, contentStart)) continue;
      const node: HeredocNode = {
        kind: "heredoc",
        ...opener,
        content: text.slice(start, body.start),
        body: { start, end: body.start },
        terminator: { start: contentStart, end: body.contentEnd },
      };
      return { node, next: body.next };
    }
    throw this.#unterminated(opener, line, start);
  }

  #unterminated(opener: HeredocOpener, line: LogicalLine, bodyStart: number): DockerfileError {
    const { start, end } = findOpener(line.text, opener.name);
    return new DockerfileError(
      "UNTERMINATED_HEREDOC",
      `unterminated heredoc ${JSON.stringify(opener.name)}`,
      {
        at: this.#source.span(line.whole),
        focus: this.#source.span(line.range(start, end)),
        hint: this.#unterminatedHint(opener, line, bodyStart),
      },
    );
  }

  #unterminatedHint({ name, chomp }: HeredocOpener, line: LogicalLine, bodyStart: number): string {
    if (this.#lines.tooLong !== undefined) {
      return `Line ${this.#lines.tooLong} is longer than ${MAX_LINE_BYTES} bytes, so reading stopped there`;
    }
    const first = this.#source.lineAt(bodyStart);
    for (let number = first; number <= this.#lines.count; number++) {
      if (trimSpace(this.#source.line(number)) !== name) continue;
      const tabs = chomp ? "nothing but tabs may stand in front of it" : "<<- would allow tabs in front";
      return `Line ${number} has ${name} with blanks around it, but it must stand alone (${tabs})`;
    }
    if (/<<[ \t]/.test(line.text)) return `If no heredoc is meant, leave no blank behind <<, as in $((1<<2))`;
    return `A line with nothing but ${name} must end it`;
  }

  #tooLong(line: number): DockerfileError {
    const start = this.#source.lineStarts[line - 1] as number;
    return new DockerfileError(
      "LINE_TOO_LONG",
      `dockerfile line greater than max allowed size of ${MAX_LINE_BYTES}`,
      {
        at: this.#source.span({ start, end: start }),
        hint: `Break the line with ${this.#escape}, or put its content into a file`,
      },
    );
  }

  #noInstructions(): DockerfileError {
    const isEmpty = this.#source.text === "" || this.#source.text === "\ufeff";
    return new DockerfileError(
      "NO_INSTRUCTIONS",
      isEmpty ? "the Dockerfile cannot be empty (file with no instructions)" : "file with no instructions",
      {
        at: this.#source.span({ start: 0, end: 0 }),
        hint: "A Dockerfile needs at least a FROM: FROM alpine",
      },
    );
  }
}

/** The place of `<<name`; of the first `<<` if the name was written with quotes or escapes. */
function findOpener(text: string, name: string): Range {
  for (let at = text.indexOf("<<"); at !== -1; at = text.indexOf("<<", at + 2)) {
    const nameAt = skipSpace(text, text.charAt(at + 2) === "-" ? at + 3 : at + 2);
    if (text.startsWith(name, nameAt)) return { start: at, end: nameAt + name.length };
  }
  const first = text.indexOf("<<");
  return { start: first, end: Math.min(text.length, first + 2) };
}

function skipTabs(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && text.charCodeAt(at) === 0x09) at++;
  return at;
}

function addHeredocs(node: DraftNode, heredocs: readonly HeredocNode[]): void {
  node.heredocs = heredocs;
  const tokens = heredocs.map(({ name, body, terminator }) => ({
    type: "heredoc",
    value: name,
    range: { start: body.start, end: terminator.end },
  }));
  node.tokens = [...node.tokens, ...tokens];
}

/** An instruction's triggers have its lines. */
function place(node: DraftNode, extent: Range, endLine: number): void {
  for (let inner: DraftNode | undefined = node; inner !== undefined; inner = inner.trigger) {
    inner.extent = extent;
    inner.endLine = endLine;
  }
}
