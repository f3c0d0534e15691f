import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type Descriptor, digestOf, MEDIA_TYPES } from "../../../src/oci/index.ts";
import {
  ArchiveFile,
  ArchiveWriter,
  FolderFiles,
  FolderWriter,
  nameAnnotations,
  OciLayout,
  TarFiles,
} from "../../../src/store/transports/index.ts";

const folder = mkdtempSync(join(tmpdir(), "strake-referrer-entries-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function document(note: string, subject?: Descriptor): Buffer {
  const config = { mediaType: `application/${note}`, digest: digestOf("{}"), size: 2 };
  const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: [] };
  return Buffer.from(JSON.stringify(subject === undefined ? manifest : { ...manifest, subject }));
}
const describeOf = (bytes: Buffer): Descriptor => ({
  mediaType: MEDIA_TYPES.ociManifest,
  digest: digestOf(bytes),
  size: bytes.length,
});
const image = document("image");
const signature = document("signature", describeOf(image));
const onSignature = document("note", describeOf(signature));

describe.each(["folder", "archive"] as const)(
  "what came along with an image, in a layout that is a %s",
  (kind) => {
    let count = 0;
    async function write(documents: readonly Buffer[], roots: readonly Descriptor[]): Promise<OciLayout> {
      const path = join(folder, `${kind}-${count++}`);
      await using file = kind === "archive" ? await ArchiveFile.create(path) : undefined;
      const writer = file === undefined ? await FolderWriter.open(path) : new ArchiveWriter(file);
      for (const bytes of documents) await writer.pushManifest(bytes, { mediaType: MEDIA_TYPES.ociManifest });
      await writer.finish(roots);
      await file?.commit();
      const files = kind === "archive" ? await TarFiles.open(path) : new FolderFiles(path);
      return (await OciLayout.open(files)) as OciLayout;
    }
    const digests = (found: readonly Descriptor[]) => found.map(({ digest }) => digest);

    it("is found as its referrer", async () => {
      const layout = await write(
        [image, signature, onSignature],
        [{ ...describeOf(image), annotations: nameAnnotations("1") }],
      );
      expect(digests(await layout.listReferrers(digestOf(image)))).toEqual([digestOf(signature)]);
      expect(digests(await layout.listReferrers(digestOf(signature)))).toEqual([digestOf(onSignature)]);
      expect(await layout.listReferrers(digestOf(image))).toMatchObject([
        { artifactType: "application/signature" },
      ]);
      expect(layout.find(digestOf(signature)).digest).toBe(digestOf(signature));
    });

    it("is not taken for the image, also where that has no name", async () => {
      for (const root of [
        describeOf(image),
        { ...describeOf(image), artifactType: "application/image" },
        { ...describeOf(image), annotations: nameAnnotations("1") },
      ]) {
        const layout = await write([image, signature], [root]);
        expect(layout.find().digest).toBe(digestOf(image));
        expect(digests(layout.images.map(({ descriptor }) => descriptor))).toEqual([digestOf(image)]);
      }
    });

    it("is what is meant where there is nothing else", async () => {
      const layout = await write([signature], [describeOf(signature)]);
      expect(layout.find().digest).toBe(digestOf(signature));
      const named = await write(
        [signature],
        [{ ...describeOf(signature), annotations: nameAnnotations("s") }],
      );
      expect(named.find("s").digest).toBe(digestOf(signature));
    });
  },
);
