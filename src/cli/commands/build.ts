import { BUILD_FLAGS } from "../build/build-flags.ts";
import { readBuildOptions } from "../build/build-options.ts";
import { defineCommand } from "../command.ts";
import { CliError } from "../error.ts";

export const build = defineCommand({
  operands: "CONTEXT | - | URL",
  count: { min: 1, max: 1 },
  details: [
    "CONTEXT is the folder whose files COPY and ADD read. With - an archive of one, or a Dockerfile alone, " +
      "is read from standard input. The image goes into the store unless -o says otherwise.",
  ],
  options: BUILD_FLAGS,
  examples: [
    { command: "strake build -t app .", summary: "Build the folder's Dockerfile and name the image" },
    {
      command: "strake build -t registry.example.com/app:1.2 --push --platform linux/amd64,linux/arm64 .",
      summary: "Build for two platforms and push",
    },
    { command: "strake build -o type=oci,dest=app.tar .", summary: "Write an OCI archive instead" },
    {
      command: "strake build --target dist -o out .",
      summary: "Take the files of a stage, without an image",
    },
    {
      command: "strake build --secret id=npm,src=$HOME/.npmrc .",
      summary: "Let RUN --mount=type=secret,id=npm read a file",
    },
  ],
  async run({ options, positionals: [operand = ""] }, context) {
    const warn = (message: string): void => context.stderr.write(`warning: ${message}\n`);
    await readBuildOptions(options, operand, context, warn);
    throw new CliError("UNSUPPORTED", "Cannot build: the builder is not part of this version");
  },
});
