import { isIP } from "node:net";
import { OwnerId } from "@handrail/protocol/ids";
import { NetworkPreset } from "@handrail/protocol/network";
import { hostProblem } from "@handrail/protocol/rule-host";
import { z } from "zod";

const fail = (context: z.RefinementCtx<string>, message: string) => {
  context.addIssue({ code: "custom", message, input: context.value });
  return z.NEVER;
};

/** Words between commas; empty ones are left out. */
export const ListText = z.string().transform((text) =>
  text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== ""),
);

const MAX_TEAMS = 100;

/** Ids of teams between commas, none twice. */
export const TeamsText = ListText.pipe(z.array(OwnerId).max(MAX_TEAMS, `at most ${MAX_TEAMS} teams`)).superRefine(
  (teams, context) => {
    const twice = teams.find((team, at) => teams.indexOf(team) !== at);
    if (twice !== undefined) context.addIssue({ code: "custom", message: `${twice} is there twice`, input: teams });
  },
);

const HOST_NAME = /^\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i;

/** Hosts between commas: `example.org`, `10.1.2.3`, `[fd12::1]`, or all names below one as `.example.org`. */
export const HostListText = ListText.superRefine((words, context) => {
  for (const word of words) {
    const address = isIP(word.replace(/^\.?\[?(.*?)\]?$/, "$1")) !== 0;
    if (address ? !word.startsWith(".") : HOST_NAME.test(word)) continue;
    const message = `${word} is not a host: write example.org, .example.org or 10.1.2.3, without a port`;
    context.addIssue({ code: "custom", message, input: word });
  }
});

/** `none`, or presets and hosts between commas, as conversations' rules have them. */
export const NetworkText = ListText.superRefine((words, context) => {
  for (const word of words) {
    const problem = NetworkPreset.safeParse(word).success ? undefined : hostProblem(word);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem, input: word });
  }
});

/** A number that `range` accepts. */
export function numberText<Range extends z.ZodType<number, number>>(range: Range) {
  return z
    .string()
    .trim()
    .regex(/^\d+(\.\d+)?$/, "must be a number")
    .transform(Number)
    .pipe(range);
}

/** `http` or `https` address, without a slash at its end. */
export const HttpUrlText = z
  .url({ protocol: /^https?$/, error: "must be an http or https address" })
  .max(2048)
  .transform((url) => url.replace(/\/+$/, ""));

/** An origin, in whose host one `*` may stand for a label. */
export const PreviewUrlText = z.string().transform((text, context) => {
  const plain = text.replace("*", "label").replace(/\/+$/, "");
  const url = URL.canParse(plain) ? new URL(plain) : undefined;
  const origin = /^https?:$/.test(url?.protocol ?? "") && url?.origin === plain.toLowerCase();
  const label = !text.includes("*") || /^https?:\/\/\*\./.test(text);
  return origin && label
    ? text.toLowerCase().replace(/\/+$/, "")
    : fail(context, "must be an address without a path, such as https://*.preview.example.org");
});

/** Where checkpoints go. */
export type CheckpointStoreName =
  | { readonly type: "directory" }
  | { readonly type: "none" }
  | { readonly type: "s3"; readonly bucket: string; readonly prefix: string };

const BUCKET = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/?((?:[a-z0-9_-][a-z0-9._-]{0,127}\/)*)$/;

/** `directory`, `none`, or a bucket as `s3://NAME/PREFIX`. */
export const CheckpointStoreText = z.string().transform((text, context): CheckpointStoreName => {
  const word = text.trim().toLowerCase();
  if (word === "directory" || word === "none") return { type: word };
  const [, bucket, prefix = ""] = BUCKET.exec(word.replace(/\/?$/, "/")) ?? [];
  if (bucket !== undefined) return { type: "s3", bucket, prefix };
  return fail(context, "must be directory, none, or a bucket such as s3://name/prefix");
});
