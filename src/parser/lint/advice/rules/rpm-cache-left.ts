import { type AdviceFinding, adviceRule } from "../advice.ts";
import type { CommandView, FileView } from "../file-view.ts";
import { findingOf } from "../finding.ts";
import { isMounted, removes, subcommandOf } from "../package-managers.ts";

export const rpmCacheLeft = adviceRule("RpmCacheLeft", {
  level: "warning",
  description: "yum, dnf and zypper leave metadata and packages in the layer, often more than 100 MB",
  fix: "End the same RUN with the package manager's clean all, or mount a cache on its folder",
  check: findCaches,
});

const CACHES: Readonly<Record<string, readonly string[]>> = {
  yum: ["/var/cache/yum", "/var/cache/dnf"],
  dnf: ["/var/cache/dnf", "/var/cache/libdnf5"],
  microdnf: ["/var/cache/yum", "/var/cache/dnf"],
  zypper: ["/var/cache/zypp"],
};

function* findCaches({ stages }: FileView): Generator<AdviceFinding> {
  for (const command of stages.filter(({ isShipped }) => isShipped).flatMap(({ commands }) => commands)) {
    const install = command.invocations.find(
      (each) =>
        CACHES[each.program] !== undefined &&
        /^(?:install|in|update|up|upgrade|groupinstall|localinstall|reinstall|builddep|makecache)$/.test(
          subcommandOf(each),
        ),
    );
    if (install === undefined || isCleaned(command, CACHES[install.program] ?? [])) continue;
    yield findingOf(command, install, `What ${install.program} has fetched stays in the image`);
  }
}

function isCleaned(command: CommandView, folders: readonly string[]): boolean {
  return (
    folders.some((folder) => removes(command, folder) || isMounted(command, folder)) ||
    command.invocations.some(
      (each) => CACHES[each.program] !== undefined && /^(?:clean|cc)$/.test(subcommandOf(each)),
    )
  );
}
