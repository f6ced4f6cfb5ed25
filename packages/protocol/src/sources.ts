import { z } from "zod";
import { NetworkPreset, RequestRule } from "./network.ts";

/** Where a workspace's first files come from. A `folder` is on the server's machine; it is copied, never changed. */
export const WorkspaceSource = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("empty") }),
  z.strictObject({ type: z.literal("folder"), path: z.string().min(1).max(4096) }),
  z.strictObject({
    type: z.literal("git"),
    url: z.string().min(1).max(2048),
    branch: z.string().min(1).max(255).optional(),
  }),
  z.strictObject({ type: z.literal("demo") }),
]);
export type WorkspaceSource = z.infer<typeof WorkspaceSource>;

export const BackendName = z.enum(["docker", "process", "none", "containerd", "kubernetes"]);
export type BackendName = z.infer<typeof BackendName>;

/**
 * What a sandbox may reach. `none`: nothing. `allow`: the hosts named, each exact (`registry.npmjs.org`) or a suffix
 * that starts with a dot (`.example.org`), with `:port` where it is neither 80 nor 443. `presets` name sets of hosts;
 * `everything` is every public address. `requests` allow single kinds of HTTP request.
 */
export const NetworkRule = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("none") }),
  z.strictObject({
    type: z.literal("allow"),
    presets: z.array(NetworkPreset).max(16),
    hosts: z.array(z.string().min(1).max(253)).max(256),
    requests: z.array(RequestRule).max(256).optional(),
  }),
]);
export type NetworkRule = z.infer<typeof NetworkRule>;

/** An image's name as registries take it: path in lower case, then a tag or digest (distribution spec, "Pull"). */
const ImageName = z
  .string()
  .max(512)
  .regex(
    /^(?:[A-Za-z0-9.-]+(?::\d{1,5})?\/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/,
    "must be the name of an image, such as debian:12",
  );

/**
 * How much a sandbox lets its programs do. `strict`: nothing beyond the files and a shell. `default`: what building and
 * testing takes. `dev`: packages can be installed as root of a user namespace. The guide has a table of each.
 */
export const SandboxProfile = z.enum(["strict", "default", "dev"]);
export type SandboxProfile = z.infer<typeof SandboxProfile>;

/**
 * How a conversation's sandbox is made. `image` is for backends that use images; absent means the default one. An
 * absent `profile` is `default`.
 */
export const SandboxChoice = z.strictObject({
  backend: BackendName,
  image: ImageName.optional(),
  profile: SandboxProfile.optional(),
  network: NetworkRule,
});
export type SandboxChoice = z.infer<typeof SandboxChoice>;
