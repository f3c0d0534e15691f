import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execute } from "./measure.mjs";

const BUSYBOX = "/bin/busybox";
const DOCKERFILE = `FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN mkdir -p /tmp /etc /root && echo root:x:0:0:root:/root:/bin/sh > /etc/passwd
ENV PATH=/bin
CMD ["sh"]
`;

/** A small image with a shell, made from Debian's busybox-static and put into the registry for every tool to start from. */
export async function makeBase({ folder, registry, tools }) {
  const context = join(folder, "base");
  mkdirSync(context);
  copyFileSync(BUSYBOX, join(context, "busybox"));
  chmodSync(join(context, "busybox"), 0o755);
  writeFileSync(join(context, "Dockerfile"), DOCKERFILE);
  const name = `${registry.address}/bench/base:1`;
  const env = { STRAKE_ROOT: join(folder, "base-store") };
  await execute(
    [...tools.strake.command, "build", "-q", "--network", "host", "-t", name, "--push", context],
    { env },
  );
  return name;
}
