import * as z from "zod/mini";

const Natural = z.int().check(z.nonnegative());

/** What a user may store on a file system: so many bytes, in so many files. 0: the kernel has no limit for it. */
export const QuotaLimit = z.strictObject({ user: Natural, bytes: Natural, files: Natural });
export type QuotaLimit = z.infer<typeof QuotaLimit>;

/**
 * What `sandboxd quotas` says, one JSON value. `enforced`: the kernel keeps users of that file system to their limits; where it
 * does not, there are none. One limit for each user that was asked for, in that order.
 */
export const QuotaAnswer = z.strictObject({ enforced: z.boolean(), limits: z.array(QuotaLimit) });
export type QuotaAnswer = z.infer<typeof QuotaAnswer>;
