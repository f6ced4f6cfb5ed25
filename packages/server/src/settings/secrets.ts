import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { AppError } from "@handrail/protocol/errors";
import { replaceFile } from "./json-file.ts";

/** Encrypts small secrets for storage. A blob only opens under the name that it was sealed for. */
export type Secrets = {
  seal(name: string, secret: string): string;
  /** @throws AppError `secret_unreadable` when the key is another, or the blob was changed or moved */
  unseal(name: string, blob: string): string;
  /** A key of 32 bytes for one purpose, the same at each start. */
  deriveKey(purpose: string): Buffer;
};

const VERSION = "v1";

/**
 * AES-256-GCM (NIST SP 800-38D) with a key of its own for each blob, by HKDF-SHA-256 (RFC 5869) from the key in `path`
 * with a random salt. The blob is `v1.keyId.salt.iv.tag.ciphertext`; version, key id and name are authenticated.
 * @throws AppError `secret_unreadable` when the key file is damaged
 */
export async function openSecrets(path: string): Promise<Secrets> {
  const { keyId, key } = await readKey(path);
  const keyFor = (salt: Buffer) => Buffer.from(hkdfSync("sha256", key, salt, "handrail secret", 32));
  const bound = (name: string) => Buffer.from(`${VERSION}\n${keyId}\n${name}`);
  return {
    deriveKey: (purpose) => Buffer.from(hkdfSync("sha256", key, "", `handrail ${purpose}`, 32)),
    seal(name, secret) {
      const salt = randomBytes(16);
      const iv = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", keyFor(salt), iv).setAAD(bound(name));
      const text = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
      const bytes = [salt, iv, cipher.getAuthTag(), text].map((part) => part.toString("base64url"));
      return [VERSION, keyId, ...bytes].join(".");
    },
    unseal(name, blob) {
      const [version, sealedBy, ...bytes] = blob.split(".");
      const [salt, iv, tag, text] = bytes.map((part) => Buffer.from(part, "base64url"));
      if (version !== VERSION || sealedBy !== keyId || !salt || !iv || !text) throw unreadable();
      try {
        const decipher = createDecipheriv("aes-256-gcm", keyFor(salt), iv, { authTagLength: 16 });
        decipher.setAAD(bound(name)).setAuthTag(tag ?? Buffer.alloc(0));
        return Buffer.concat([decipher.update(text), decipher.final()]).toString("utf8");
      } catch (cause) {
        throw unreadable(cause);
      }
    },
  };
}

async function readKey(path: string): Promise<{ keyId: string; key: Buffer }> {
  const text = await readFile(path, "utf8").catch((thrown: unknown) => {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  });
  if (text === undefined) return makeKey(path);
  const [keyId = "", encoded = ""] = text.trim().split(" ");
  const key = Buffer.from(encoded, "base64url");
  if (keyId === "" || key.length !== 32) throw unreadable();
  return { keyId, key };
}

async function makeKey(path: string): Promise<{ keyId: string; key: Buffer }> {
  const key = randomBytes(32);
  const keyId = randomBytes(6).toString("hex");
  await replaceFile(path, `${keyId} ${key.toString("base64url")}\n`);
  return { keyId, key };
}

const unreadable = (cause?: unknown) =>
  new AppError(
    "secret_unreadable",
    "A stored key cannot be decrypted: the key file in the state directory is another one. Enter the key again.",
    {},
    { cause },
  );
