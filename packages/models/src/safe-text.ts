const MAX_CHARACTERS = 500;

/** What looks like a key of the well known providers, also partly starred out. */
const KEYS = /\b(?:(?:sk|pk|rk|gsk|xai|key)[-_]|AIza|AKIA|ASIA|ABSK)[\w*.-]{12,}|\bBearer\s+[^\s"']+/g;

/** Text from a provider for people: keys and control characters taken out, at most 500 characters. */
export function safeText(text: string, secrets: readonly string[]): string {
  const known = secrets.filter((secret) => secret.length >= 4);
  const masked = known.reduce((rest, secret) => rest.replaceAll(secret, "***"), text).replace(KEYS, "***");
  const line = masked
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ")
    .replace(/ {2,}/g, " ")
    .trim();
  return line.length <= MAX_CHARACTERS ? line : `${line.slice(0, MAX_CHARACTERS - 1)}…`;
}
