import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes } from "node:crypto";
import { AppError } from "@handrail/protocol/errors";

/** Encrypts what is kept under a name; it opens under no other. */
export type Seal = {
  seal(name: string, bytes: Uint8Array): Buffer;
  /** @throws AppError `checkpoint_damaged` when it was changed or moved, or the key is another */
  open(name: string, sealed: Uint8Array): Buffer;
};

const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * AES-256-GCM (NIST SP 800-38D) with a key of its own for each lineage by HKDF-SHA-256 (RFC 5869), a random nonce
 * before and the tag behind. The name is authenticated.
 */
export function lineageSeal(key: Uint8Array, lineage: string): Seal {
  // Bytes would be made a key anew for each object, which takes five times as long as to encrypt a small one.
  const own = createSecretKey(Buffer.from(hkdfSync("sha256", key, lineage, "handrail checkpoints", 32)));
  return {
    seal(name, bytes) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv("aes-256-gcm", own, iv).setAAD(Buffer.from(name));
      return Buffer.concat([iv, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
    },
    open(name, sealed) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
      try {
        const decipher = createDecipheriv("aes-256-gcm", own, bytes.subarray(0, IV_BYTES), {
          authTagLength: TAG_BYTES,
        });
        decipher.setAAD(Buffer.from(name)).setAuthTag(bytes.subarray(-TAG_BYTES));
        return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
      } catch (cause) {
        const message = "Stored files cannot be decrypted: they were changed, or the key file is another one.";
        throw new AppError("checkpoint_damaged", message, {}, { cause });
      }
    },
  };
}
