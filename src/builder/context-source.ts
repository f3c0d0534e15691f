/** Where the files of a build come from: a folder, a tar (stream or URL), or an image. */
export type ContextSource =
  | { readonly kind: "dir"; readonly path: string }
  /** A tar, possibly compressed, from standard input. */
  | { readonly kind: "tar-stream"; readonly open: () => AsyncIterable<Uint8Array> }
  /** `http(s)://…` tar or Dockerfile, `git://…`, `https://….git#ref:subdir`. */
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "docker-image"; readonly reference: string }
  /** `oci-layout://DIR[:tag][@digest]`. */
  | { readonly kind: "oci-layout"; readonly path: string; readonly reference?: string };
