import { readFile } from "node:fs/promises";

/** Where Linux distributions keep the authorities that their administrators trust. */
const BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/**
 * Reads the system's authorities when they are first needed. Node has its own list and does not look at the system's,
 * but a company's own authority is installed there. Reading it takes a tenth of a second, so it is done only
 * after a certificate was refused.
 */
export function createSystemCa(
  env: Readonly<Record<string, string | undefined>>,
): () => Promise<readonly string[]> {
  let loaded: Promise<readonly string[]> | undefined;
  const load = async (): Promise<readonly string[]> => {
    const own = [env["SSL_CERT_FILE"], env["NODE_EXTRA_CA_CERTS"]].filter(
      (path): path is string => path !== undefined && path !== "",
    );
    const texts = await Promise.all(own.map(readIfThere));
    for (const path of BUNDLES) {
      const text = await readIfThere(path);
      if (text === undefined) continue;
      texts.push(text);
      break;
    }
    return [...new Set(texts.filter((text) => text !== undefined))];
  };
  return () => {
    loaded ??= load();
    return loaded;
  };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    // Not there or not readable: the certificate stays refused, and that is what the user is told.
    return undefined;
  }
}
