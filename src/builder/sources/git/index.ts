export { GitSources, type GitSourcesOptions } from "./git-sources.ts";
