export { describeGitSource, GitSources, type GitSourcesOptions } from "./git-sources.ts";
