import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { type CliRun, runCli } from "../run-cli.ts";

/** What `artifact push` and `artifact attach` say with --json. */
export interface Pushed {
  readonly digest: string;
  readonly artifactType: string;
  readonly files: readonly { readonly title: string; readonly mediaType: string; readonly digest: string }[];
}

/** A folder for each test of a file, and `strake artifact` in it. */
export class ArtifactFolder {
  #folder = "";

  constructor() {
    beforeEach(() => {
      this.#folder = mkdtempSync(join(tmpdir(), "strake-artifact-"));
    });
    afterEach(() => rmSync(this.#folder, { recursive: true, force: true }));
  }

  readonly at = (path: string): string => join(this.#folder, path);
  readonly text = (path: string): string => readFileSync(this.at(path), "utf8");

  readonly strake = async (argv: readonly string[], stdin = ""): Promise<CliRun> =>
    await runCli(["artifact", ...argv], {
      cwd: this.#folder,
      stdin,
      env: { STRAKE_ROOT: this.at("store"), DOCKER_CONFIG: this.#folder },
    });

  readonly done = async (argv: readonly string[], stdin?: string): Promise<CliRun> => {
    const run = await this.strake(argv, stdin);
    expect(run.stderr).not.toContain("error:");
    expect(run.code).toBe(0);
    return run;
  };

  /** What is said of a command line that fails. */
  readonly refused = async (argv: readonly string[]): Promise<string> => {
    const { code, stderr, stdout } = await this.strake(argv);
    expect(code).not.toBe(0);
    expect(stdout).toBe("");
    return stderr;
  };

  readonly push = async (...argv: readonly string[]): Promise<Pushed> =>
    JSON.parse((await this.done(["push", "-q", "--json", ...argv])).stdout);

  /** Every file below a folder, with what it holds. */
  readonly listing = (path: string, below = ""): Record<string, string> => {
    const found: Record<string, string> = {};
    for (const name of readdirSync(join(this.at(path), below)).sort()) {
      const inner = join(below, name);
      const host = join(this.at(path), inner);
      const stats = lstatSync(host);
      if (stats.isDirectory()) Object.assign(found, { [`${inner}/`]: "" }, this.listing(path, inner));
      else found[inner] = stats.isSymbolicLink() ? `-> ${readlinkSync(host)}` : readFileSync(host, "utf8");
    }
    return found;
  };
}
