import { StrakeError } from "../../errors.ts";
import { DOCKER_HUB } from "../../oci/index.ts";
import { type CommandContext, defineCommand } from "../command.ts";
import { CliError, usageError } from "../error.ts";
import { Asker, readSecretFromStdin } from "../registry/ask.ts";
import { credentialFile } from "../registry/credential-file.ts";
import { openRegistry } from "../registry/open-registry.ts";
import { parseRegistryName } from "../registry/registry-name.ts";
import { RETRY_FLAGS } from "../registry/retry-flag.ts";
import { oneLine } from "../text.ts";

interface Account {
  readonly username: string;
  readonly password: string;
}

export const login = defineCommand({
  operands: "[REGISTRY]",
  count: { min: 0, max: 1 },
  details: [
    "Checks a user name and password with the registry (Docker Hub, if none is named) and stores them where docker, podman, " +
      "skopeo and strake find them: with the credential helper that the file names, else in the file itself.",
    "Asks for what is not given. Where a registry has access tokens, use one instead of the password.",
  ],
  options: {
    username: { type: "string", short: "u", value: "NAME", summary: "User name" },
    password: {
      type: "string",
      short: "p",
      value: "PASSWORD",
      summary: "Password or token; other users of the machine can see it, so prefer --password-stdin",
    },
    "password-stdin": { type: "boolean", summary: "Read the password from standard input" },
    authfile: {
      type: "string",
      value: "FILE",
      default: "$REGISTRY_AUTH_FILE, else ~/.docker/config.json",
      summary: "Where to store it",
    },
    ...RETRY_FLAGS,
  },
  examples: [
    { command: "strake login", summary: "Docker Hub; asks for the user name and password" },
    {
      command: "echo $TOKEN | strake login -u ci --password-stdin registry.example.com",
      summary: "In a script",
    },
  ],
  async run({ options, positionals: [named] }, context) {
    const registry = named === undefined ? DOCKER_HUB : parseRegistryName(named);
    const { stderr, stdout, settings, signal } = context;
    const { username, password, "password-stdin": fromStdin } = options;
    if (password !== undefined && fromStdin)
      throw usageError("Only one of --password and --password-stdin can be given");
    if (username === undefined && (fromStdin || password !== undefined))
      throw usageError("A password is of no use without its user name", "Give it as -u NAME");
    if (password !== undefined) {
      stderr.write(
        "WARNING! A password on the command line can be seen by other users. Use --password-stdin.\n",
      );
    }
    const account = await readAccount(registry, { username, password, fromStdin }, context);

    const { storeCredentials } = await import("../../registry/index.ts");
    await using client = await openRegistry(settings, (event) => {
      if (event.kind === "warning")
        stderr.write(`WARNING! ${oneLine(event.registry)}: ${oneLine(event.text)}\n`);
    });
    const result = await client.login(registry, account, { signal }).catch((error: unknown) => {
      throw asRefusedLogin(error);
    });
    const path = credentialFile(options.authfile, context);
    const stored = await storeCredentials(registry, result, { path, env: settings.variables });
    if (!result.checked) {
      stderr.write(`WARNING! ${registry} lets anybody in, so the password could not be checked.\n`);
    }
    if (stored.kind === "file") {
      stderr.write(
        `WARNING! Your credentials are stored unencrypted in ${stored.path}.\n` +
          'Name a credential helper there ("credsStore") to have them kept safely.\n',
      );
    }
    if (options.authfile === undefined) await warnIfShadowed(registry, stored, context);
    stdout.write("Login Succeeded\n");
    return undefined;
  },
});

/** Here the credentials come from the person, who need not be told to log in. */
function asRefusedLogin(error: unknown): unknown {
  if (!(error instanceof StrakeError) || error.code !== "UNAUTHORIZED") return error;
  return new CliError("LOGIN_REFUSED", error.message, {
    hint: "The user name or the password is wrong. An account with two-factor login may want an access token instead",
  });
}

async function readAccount(
  registry: string,
  given: {
    readonly username: string | undefined;
    readonly password: string | undefined;
    readonly fromStdin: boolean;
  },
  context: CommandContext,
): Promise<Account> {
  const { stdin } = context;
  if (given.fromStdin) {
    const password = await readSecretFromStdin(stdin);
    if (password === "") throw usageError("Cannot log in: standard input has no password");
    return { username: given.username ?? "", password };
  }
  if (given.username !== undefined && given.password !== undefined)
    return { username: given.username, password: given.password };
  if (!stdin.isTTY) {
    throw given.username === undefined
      ? usageError(
          "Cannot ask for the user name and password: standard input is no terminal",
          "Give them as -u NAME --password-stdin",
        )
      : usageError(
          "Cannot ask for the password: standard input is no terminal",
          "Give it with --password-stdin",
        );
  }
  const asker = new Asker(context);
  const username = given.username ?? (await asker.ask(`Username for ${registry}: `));
  if (username === "") throw usageError("Cannot log in without a user name");
  const password = await asker.askSecret(`Password for ${username}: `);
  if (password === "") throw usageError("Cannot log in without a password");
  return { username, password };
}

/** Another file that is read before ours may have older credentials of this registry. */
async function warnIfShadowed(
  registry: string,
  stored:
    | { readonly kind: "helper"; readonly helper: string }
    | { readonly kind: "file"; readonly path: string },
  { settings, stderr }: CommandContext,
): Promise<void> {
  const { settingsFromEnvironment } = await import("../../registry/index.ts");
  const { credentials } = settingsFromEnvironment({ env: settings.variables, home: settings.home });
  const found = await credentials?.find({ registry }).catch(() => undefined);
  const origin = stored.kind === "file" ? stored.path : `docker-credential-${stored.helper}`;
  if (found === undefined || found.origin === origin) return;
  stderr.write(
    `WARNING! ${found.origin} also has credentials for ${registry}, and they are looked at first.\n`,
  );
}
