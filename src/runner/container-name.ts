/** How the names of our containers, and so of their cgroups, begin. */
export const CONTAINER_NAME_PREFIX = "strake-";
