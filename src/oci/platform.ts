/** What an image runs on, in Go's names. @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
}
