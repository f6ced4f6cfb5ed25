import { z } from "zod";
import { OwnerId } from "./ids.ts";
import { RequestRule } from "./network.ts";

/** Names a secret, in texts too: `[secret NPM_TOKEN]`. */
export const SecretName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, "must be a letter, then letters, digits, _ and -, 64 at most");
export type SecretName = z.infer<typeof SecretName>;

/** A pattern of names with `/` between their parts: `*` is anything but `/`, `**` is anything. */
const Glob = z.string().min(1).max(512);

/** A header's name (RFC 9110 §5.6.2), without those that frame a message. */
const HeaderName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/, "must be the name of a header")
  .refine((name) => !FRAMING.has(name.toLowerCase()), "cannot be set by a secret");
const FRAMING: ReadonlySet<string> = new Set(["connection", "content-length", "expect", "host", "te", "trailer"])
  .add("transfer-encoding")
  .add("upgrade");

/**
 * Put into a header of the requests that a rule names, over HTTPS only. `header` is `authorization` when absent. `format`
 * is the header's value with `{secret}` for the value, `Bearer {secret}` when absent; `user` makes it HTTP Basic of that
 * user and the secret. `keep`: a header of that name that the sandbox sent stays as it is.
 */
const HeaderUse = z.strictObject({
  type: z.literal("header"),
  hosts: z.array(RequestRule).min(1).max(64),
  header: HeaderName.optional(),
  format: z
    .string()
    .max(1024)
    .regex(/^[\x20-\x7e]*\{secret\}[\x20-\x7e]*$/, "must contain {secret}")
    .optional(),
  user: z.string().min(1).max(256).optional(),
  keep: z.boolean().optional(),
});

/**
 * What may be pushed to repositories that match. `branches` are names below `refs/heads/`, `tags` below `refs/tags/`;
 * none when absent. `deletions`: whether these may be deleted too.
 */
export const PushRule = z.strictObject({
  repository: Glob,
  branches: z.array(Glob).max(64).optional(),
  tags: z.array(Glob).max(64).optional(),
  deletions: z.boolean().optional(),
});
export type PushRule = z.infer<typeof PushRule>;

/**
 * HTTP Basic for git over HTTPS, on `host` or `host:port`. `user` is `x-access-token` when absent. `repositories` may be fetched with it; they are
 * paths on the host without `.git`. Who may push where is said by `push`.
 */
const GitUse = z.strictObject({
  type: z.literal("git"),
  host: z.string().min(1).max(253),
  user: z.string().min(1).max(256).optional(),
  repositories: z.array(Glob).max(256),
  push: z.array(PushRule).max(64),
});

/** Given inside as a file in memory. */
const FileUse = z.strictObject({ type: z.literal("file") });

export const SecretUse = z.discriminatedUnion("type", [HeaderUse, GitUse, FileUse]);
export type SecretUse = z.infer<typeof SecretUse>;
export type HeaderSecretUse = z.infer<typeof HeaderUse>;
export type GitSecretUse = z.infer<typeof GitUse>;

/** Whose conversations have it: all of the owner's, those of them that work on one repository, or all of a team's. */
export const SecretScope = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("owner") }),
  z.strictObject({ type: z.literal("repository"), url: z.string().min(1).max(2048) }),
  z.strictObject({ type: z.literal("team"), teamId: OwnerId }),
]);
export type SecretScope = z.infer<typeof SecretScope>;

/** A variable of the sandbox; what programs and the loader of programs read for themselves cannot be one. */
const EnvironmentName = z
  .string()
  .regex(/^[A-Z_][A-Z0-9_]{0,127}$/, "must be the name of a variable, such as NPM_TOKEN")
  .refine((name) => !/^(?:PATH|HOME|USER|SHELL|ENV|BASH_ENV|IFS|LD_.*|.*_PROXY|HANDRAIL.*)$/.test(name), "is taken");

/**
 * How a secret is used. `environment` names a variable that is set in the sandbox to a placeholder; the broker puts the
 * value in its place, in headers of the requests that its rules name. For a `file` it is set to the file's path.
 */
export const SecretSetting = z.strictObject({
  description: z.string().max(500).optional(),
  scope: SecretScope,
  use: SecretUse,
  environment: EnvironmentName.optional(),
});
export type SecretSetting = z.infer<typeof SecretSetting>;

/** A shorter value would be found everywhere by chance, so it could not be masked. */
export const SHORTEST_SECRET = 8;
export const LONGEST_SECRET = 16 * 1024;

/** What a header may hold (RFC 9110 5.5). */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** A value only travels towards the server. An absent one keeps the stored one. */
export const SecretInput = SecretSetting.extend({
  value: z
    .string()
    .min(SHORTEST_SECRET, `must have at least ${SHORTEST_SECRET} characters, since a shorter one cannot be masked`)
    .max(LONGEST_SECRET)
    .optional(),
}).refine(({ use, value = "" }) => use.type !== "header" || use.user !== undefined || FIELD_VALUE.test(value), {
  path: ["value"],
  message: "A value with line ends, or other characters that no header may have, cannot be put into one.",
});
export type SecretInput = z.infer<typeof SecretInput>;

/** A secret as lists show it. Times are Unix milliseconds; `lastUsedAt` is null until the first use. */
export const SecretInfo = SecretSetting.extend({
  name: SecretName,
  createdAt: z.number(),
  changedAt: z.number(),
  lastUsedAt: z.number().nullable(),
});
export type SecretInfo = z.infer<typeof SecretInfo>;
