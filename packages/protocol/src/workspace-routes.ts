import { z } from "zod";
import { FileChange } from "./changes.ts";
import { LeftOutFiles } from "./left-out-files.ts";
import { OneConversation, type Route } from "./route.ts";
import { FileEntry } from "./sandboxd/file-operations.ts";

const FilePath = z.string().min(1).max(8192);

/** What is in a conversation's workspace and sandbox, and taking the result out. */
export const WORKSPACE_ROUTES = {
  changes: {
    method: "GET",
    path: "/api/conversations/:id/changes",
    access: "session",
    summary: "Files that differ from the workspace's start",
    params: OneConversation,
    response: z.object({
      changes: z.array(FileChange),
      live: z.boolean(),
      leftOut: z.optional(LeftOutFiles),
    }),
    status: 200,
  },
  changedFile: {
    method: "GET",
    path: "/api/conversations/:id/changes/file",
    access: "session",
    summary: "One file before and after, base64",
    params: OneConversation,
    query: z.strictObject({ path: FilePath }),
    response: z.object({ before: z.string().nullable(), after: z.string().nullable(), binary: z.boolean() }),
    status: 200,
  },
  patch: {
    method: "GET",
    path: "/api/conversations/:id/patch",
    access: "session",
    summary: "Everything changed, as a patch that git apply takes",
    params: OneConversation,
    status: 200,
  },
  files: {
    method: "GET",
    path: "/api/conversations/:id/files",
    access: "session",
    summary: "One directory of the workspace",
    params: OneConversation,
    query: z.strictObject({ path: FilePath.optional() }),
    response: z.object({ path: z.string(), entries: z.array(FileEntry), more: z.boolean() }),
    status: 200,
  },
  file: {
    method: "GET",
    path: "/api/conversations/:id/files/content",
    access: "session",
    summary: "A file's bytes, base64, at most 4 MiB from an offset",
    params: OneConversation,
    query: z.strictObject({ path: FilePath, offset: z.coerce.number().int().min(0).optional() }),
    response: z.object({ path: z.string(), size: z.number(), data: z.string() }),
    status: 200,
  },
  terminals: {
    method: "GET",
    path: "/api/conversations/:id/terminals",
    access: "session",
    summary: "Terminals of the sandbox",
    params: OneConversation,
    response: z.object({
      terminals: z.array(
        z.object({ terminal: z.string(), running: z.boolean(), command: z.string().optional(), cwd: z.string() }),
      ),
    }),
    status: 200,
  },
  deliver: {
    method: "POST",
    path: "/api/conversations/:id/deliver",
    access: "session",
    summary: "Commit the result to a branch, push it with the user's git, or apply it to the source folder",
    params: OneConversation,
    body: z.discriminatedUnion("kind", [
      z.strictObject({
        kind: z.enum(["branch", "push"]),
        branch: z.string().min(1).max(200),
        message: z.string().min(1).max(10_000),
      }),
      z.strictObject({ kind: z.literal("apply") }),
    ]),
    response: z.object({ kind: z.string(), ref: z.string(), commit: z.string().optional(), files: z.number() }),
    status: 200,
  },
} as const satisfies Record<string, Route>;
