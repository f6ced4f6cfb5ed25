/**
 * A usual format of secrets. The secret is the group `secret` at the end of the match, else the whole match. Every expression
 * takes a time that grows with the text only: runs begin at a boundary or a fixed text, and look-arounds are bounded.
 */
export type SecretPattern = {
  /** Stands for the secret in what leaves. */
  readonly name: string;
  /** One of these is in every text that has such a secret. */
  readonly hints: readonly string[];
  readonly expression: RegExp;
};

/** Where a word begins, also behind `\n` as JSON within JSON writes it. */
const WORD = String.raw`(?:(?<![A-Za-z0-9_-])|(?<=\\[bfnrt]))`;
/** The same, and not within base64. */
const APART = String.raw`(?:(?<![A-Za-z0-9_+/-])|(?<=\\[bfnrt]))`;
/** What may stand between a name and its value, also within JSON in JSON. */
const BETWEEN = String.raw`["'\\]{0,8}\s{0,8}[:=]\s{0,8}["'\\]{0,8}`;
/** Names in code have no digits as a rule, keys do. */
const KEY = String.raw`(?<secret>(?=[A-Za-z._~+/=:-]{0,200}\d)[A-Za-z0-9._~+/=:-]{16,})`;
const GITLAB = ["pat", "oas", "dt", "rt", "cbt", "ptt", "ft", "imt", "agent", "soat", "ffct"];

const pattern = (name: string, hints: readonly string[], source: string, flags = "g"): SecretPattern => ({
  name,
  hints,
  expression: new RegExp(source, flags),
});

/** Keys of model providers, forges, clouds and registries, tokens, and what headers and addresses carry. */
export const SECRET_PATTERNS: readonly SecretPattern[] = [
  pattern("api-key", ["sk-"], `${WORD}sk-(?=[A-Za-z_-]{0,200}\\d)[A-Za-z0-9_-]{20,}`),
  pattern("api-key", ["gsk_", "xai-", "pplx-", "hf_"], `${WORD}(?:gsk_|xai-|pplx-|hf_)[A-Za-z0-9]{30,}`),
  pattern("google-key", ["AIza"], `${APART}AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])`),
  pattern("google-token", ["ya29.", "GOCSPX-"], `${WORD}(?:ya29\\.|GOCSPX-)[A-Za-z0-9_-]{20,}`),
  pattern("github-token", ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], "gh[pousr]_[A-Za-z0-9]{36,}"),
  pattern("github-token", ["github_pat_"], "github_pat_[A-Za-z0-9_]{50,}"),
  pattern(
    "gitlab-token",
    GITLAB.map((kind) => `gl${kind}-`),
    `${WORD}gl(?:${GITLAB.join("|")})-[A-Za-z0-9_.-]{20,}`,
  ),
  pattern("aws-key-id", ["AKIA", "ASIA"], `${APART}(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])`),
  pattern(
    "aws-secret-key",
    ["ccess", "CCESS"],
    `secret_?access_?key${BETWEEN}(?<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])`,
    "gi",
  ),
  pattern("slack-token", ["xox", "xapp-"], `${WORD}(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}`),
  pattern("slack-webhook", ["hooks.slack.com"], "hooks\\.slack\\.com/services/(?<secret>[A-Za-z0-9_/]{20,})"),
  pattern("stripe-key", ["_live_", "_test_", "whsec_"], `${WORD}(?:[sr]k_(?:live|test)_|whsec_)[A-Za-z0-9]{16,}`),
  pattern(
    "registry-token",
    ["npm_", "pypi-", "dckr_pat_"],
    `${WORD}(?:npm_[A-Za-z0-9]{36,}|pypi-AgE[A-Za-z0-9_-]{50,}|dckr_pat_[A-Za-z0-9_-]{20,})`,
  ),
  pattern("sendgrid-key", ["SG."], `${WORD}SG\\.[A-Za-z0-9_-]{16,}\\.[A-Za-z0-9_-]{16,}`),
  pattern("azure-key", ["Key="], "(?:Account|SharedAccess)Key=(?<secret>[A-Za-z0-9+/]{40,}={0,2})"),
  pattern("jwt", ["eyJ"], `${WORD}eyJ[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]{10,}`),
  pattern("authorization", ["earer", "EARER"], `bearer\\s{1,8}${KEY}`, "gi"),
  pattern(
    "authorization",
    ["uthorization", "UTHORIZATION"],
    `authorization${BETWEEN}(?:basic|token)\\s{1,8}(?<secret>[A-Za-z0-9._~+/=-]{8,})`,
    "gi",
  ),
  pattern(
    "authorization",
    ["uthorization", "UTHORIZATION", "-key", "-Key", "-KEY", "-token", "-Token", "-TOKEN"],
    `(?:authorization|api-key|private-token|auth-token)${BETWEEN}${KEY}`,
    "gi",
  ),
  pattern("password", ["@"], `://[^/\\s:@"'\\\\]{0,128}:(?<secret>[^/\\s:@"'\\\\$\{}<>]{3,256})(?=@)`),
];
