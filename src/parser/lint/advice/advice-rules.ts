import type { AdviceRule } from "./advice.ts";
import { addInsteadOfCopy } from "./rules/add-instead-of-copy.ts";
import { addUnverified } from "./rules/add-unverified.ts";
import { apkCacheLeft } from "./rules/apk-cache-left.ts";
import { aptListsLeft } from "./rules/apt-lists-left.ts";
import { aptRecommends } from "./rules/apt-recommends.ts";
import { aptUpdateApart } from "./rules/apt-update-apart.ts";
import { baseImageUnpinned } from "./rules/base-image-unpinned.ts";
import { changedAfterCopy } from "./rules/changed-after-copy.ts";
import { commentSwallowsCommand } from "./rules/comment-swallows-command.ts";
import { copyBeforeInstall } from "./rules/copy-before-install.ts";
import { downloadExecuted } from "./rules/download-executed.ts";
import { installNotConfirmed } from "./rules/install-not-confirmed.ts";
import { lostShellState } from "./rules/lost-shell-state.ts";
import { packageCacheLeft } from "./rules/package-cache-left.ts";
import { pipeHidesFailure } from "./rules/pipe-hides-failure.ts";
import { removedTooLate } from "./rules/removed-too-late.ts";
import { rpmCacheLeft } from "./rules/rpm-cache-left.ts";
import { runsAsRoot } from "./rules/runs-as-root.ts";
import { secretFileCopied } from "./rules/secret-file-copied.ts";
import { secretInFile } from "./rules/secret-in-file.ts";
import { sudoUsed } from "./rules/sudo-used.ts";
import { unnoticedFailure } from "./rules/unnoticed-failure.ts";
import { unusedStage } from "./rules/unused-stage.ts";

/** Our own rules, by name. */
export const adviceRules: Readonly<Record<string, AdviceRule>> = {
  AddInsteadOfCopy: addInsteadOfCopy,
  AddUnverified: addUnverified,
  ApkCacheLeft: apkCacheLeft,
  AptListsLeft: aptListsLeft,
  AptRecommends: aptRecommends,
  AptUpdateApart: aptUpdateApart,
  BaseImageUnpinned: baseImageUnpinned,
  ChangedAfterCopy: changedAfterCopy,
  CommentSwallowsCommand: commentSwallowsCommand,
  CopyBeforeInstall: copyBeforeInstall,
  DownloadExecuted: downloadExecuted,
  InstallNotConfirmed: installNotConfirmed,
  LostShellState: lostShellState,
  PackageCacheLeft: packageCacheLeft,
  PipeHidesFailure: pipeHidesFailure,
  RemovedTooLate: removedTooLate,
  RpmCacheLeft: rpmCacheLeft,
  RunsAsRoot: runsAsRoot,
  SecretFileCopied: secretFileCopied,
  SecretInFile: secretInFile,
  SudoUsed: sudoUsed,
  UnnoticedFailure: unnoticedFailure,
  UnusedStage: unusedStage,
};
