/** Put in by the bundler from package.json. */
declare const STRAKE_VERSION: string | undefined;

/** The version of this strake; "0.0.0-dev" when the sources run without having been bundled. */
export const VERSION: string = typeof STRAKE_VERSION === "string" ? STRAKE_VERSION : "0.0.0-dev";
