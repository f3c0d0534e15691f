import { spawnSync } from "node:child_process";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Certificates of an authority of the test's own. All are PEM files. */
export interface TestCerts {
  readonly ca: string;
  readonly server: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
}

/** Makes an authority, a server certificate for the given names (`IP:127.0.0.1`, `DNS:localhost`) and a client's. */
export async function makeCerts(folder: string, names = "IP:127.0.0.1,DNS:localhost"): Promise<TestCerts> {
  await mkdir(folder, { recursive: true });
  const at = (name: string): string => join(folder, name);
  openssl(
    `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-authority -keyout ${at("ca.key")} -out ${at("ca.crt")}`,
  );
  const sign = async (name: string, extensions: string): Promise<{ cert: string; key: string }> => {
    openssl(
      `req -newkey rsa:2048 -nodes -subj /CN=${name} -keyout ${at(`${name}.key`)} -out ${at(`${name}.csr`)}`,
    );
    await writeFile(at(`${name}.ext`), extensions);
    openssl(
      `x509 -req -in ${at(`${name}.csr`)} -CA ${at("ca.crt")} -CAkey ${at("ca.key")} -CAcreateserial -days 2 -extfile ${at(`${name}.ext`)} -out ${at(`${name}.cert`)}`,
    );
    return { cert: at(`${name}.cert`), key: at(`${name}.key`) };
  };
  const server = await sign("server", `subjectAltName=${names}\nextendedKeyUsage=serverAuth\n`);
  const client = await sign("client", "extendedKeyUsage=clientAuth\n");
  return { ca: at("ca.crt"), server, client };
}

/** Lays certificates out as certs.d wants them; returns the root. */
export async function layCerts(
  root: string,
  host: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = join(root, host);
  await mkdir(folder, { recursive: true });
  for (const [name, from] of Object.entries(files)) await copyFile(from, join(folder, name));
  return root;
}

function openssl(command: string): void {
  const result = spawnSync("openssl", command.split(" "));
  if (result.status !== 0) throw new Error(`openssl ${command}: ${result.stderr.toString()}`);
}
