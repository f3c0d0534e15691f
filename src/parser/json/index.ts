export { type DescribedDockerfile, type DockerfileJson, describeDockerfile } from "./dockerfile-json.ts";
export type { JsonObject } from "./json.ts";
