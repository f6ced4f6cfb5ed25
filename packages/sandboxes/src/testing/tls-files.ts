import { execFile } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const SCRIPT = `
set -e
authority() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" -keyout "$2-key.pem" -out "$2.pem"; }
signed() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$2-key.pem" -out "$2.csr"
  printf '%s' "$3" > "$2.ext"
  openssl x509 -req -in "$2.csr" -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2 -extfile "$2.ext" -out "$2-cert.pem"
}
authority authority ca
authority stranger other
signed localhost server "subjectAltName=DNS:localhost,IP:127.0.0.1"
signed client client "extendedKeyUsage=clientAuth"
mkdir good anonymous strange
cp ca.pem good/ca.pem; cp client-cert.pem good/cert.pem; cp client-key.pem good/key.pem
cp ca.pem anonymous/ca.pem
cp other.pem strange/ca.pem
`;

/**
 * A new directory with what a daemon with TLS takes (`ca.pem`, `server-cert.pem`, `server-key.pem`, for 127.0.0.1), and
 * folders for its clients: `good`, `anonymous` (no certificate of its own) and `strange` (another authority).
 */
export async function tlsFiles(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "handrail-tls-"));
  await promisify(execFile)("sh", ["-c", SCRIPT], { cwd: directory });
  return directory;
}
