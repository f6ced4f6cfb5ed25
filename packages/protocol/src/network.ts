import { z } from "zod";

/**
 * Named sets of hosts. `registries` is all package registries together; `repository` the host that the conversation's own
 * repository is fetched from; `git` that one and the public git hosts; `everything` every public address.
 */
export const NetworkPreset = z.enum([
  "registries",
  "npm",
  "pypi",
  "crates",
  "go",
  "maven",
  "rubygems",
  "debian",
  "repository",
  "git",
  "everything",
]);
export type NetworkPreset = z.infer<typeof NetworkPreset>;

/** A method's name (RFC 9110 §9.1), upper case. */
export const HttpMethod = z.string().regex(/^[A-Z]{1,20}$/, "must be a method such as GET");

/**
 * One kind of HTTP request. `host`: exact, or a suffix that starts with a dot. `port`: 80 and 443 when absent. `methods`:
 * any when absent. `path`: a pattern of the whole path, where `*` stands for anything but `/` and `**` for anything; any
 * path when absent. For HTTPS, `methods` and `path` can only be checked where the broker opens the connection.
 */
export const RequestRule = z.strictObject({
  host: z.string().min(1).max(253),
  port: z.number().int().min(1).max(65_535).optional(),
  methods: z.array(HttpMethod).min(1).max(16).optional(),
  path: z.string().startsWith("/").max(1024).optional(),
});
export type RequestRule = z.infer<typeof RequestRule>;
