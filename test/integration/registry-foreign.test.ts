import { expect, test } from "vitest";
import { digestOf, parseReference } from "../../src/oci/index.ts";
import { RegistryClient } from "../../src/registry/index.ts";
import { hasRegistry, startRegistry } from "../support/registry-server.ts";

test.skipIf(!hasRegistry)(
  "a layer that lies outside the registry is fetched there only when that is allowed (docker-registry installed)",
  async () => {
    await using server = await startRegistry();
    const reference = parseReference(`${server.host}/foreign`);
    const layer = {
      mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
      digest: digestOf("elsewhere"),
      size: 9,
      urls: [`https://${server.host}/layer`],
    };
    await using careful = new RegistryClient();
    await expect(careful.repository(reference).openBlob(layer)).rejects.toMatchObject({
      code: "BLOB_NOT_FOUND",
      message: expect.stringContaining(`it lies at https://${server.host}/layer`),
      hint: expect.stringContaining("--allow-foreign"),
    });
    // Allowed, but this address is one of this machine, where no image may send us.
    await using allowing = new RegistryClient({ foreignLayers: true });
    await expect(allowing.repository(reference).openBlob(layer)).rejects.toThrow(
      "only https addresses of public hosts",
    );
  },
);
