/** Takes secrets out of text that leaves the program. */
export type Mask = {
  /** Has `secret` masked from now on; texts too short to be secrets are ignored. */
  add(secret: string | undefined): void;
  text(text: string): string;
};

const SHORTEST = 6;

export function mask(): Mask {
  const secrets = new Set<string>();
  return {
    add(secret) {
      if (secret === undefined || secret.length < SHORTEST) return;
      secrets.add(secret).add(JSON.stringify(secret).slice(1, -1)).add(encodeURIComponent(secret));
    },
    text(text) {
      let masked = text;
      for (const secret of secrets) masked = masked.replaceAll(secret, "•••");
      return masked;
    },
  };
}
