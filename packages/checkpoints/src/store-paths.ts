import { AppError } from "@handrail/protocol/errors";

const PATH = /^[a-z0-9_-][a-z0-9._-]{0,127}(?:\/[a-z0-9_-][a-z0-9._-]{0,127})*$/;

/** @throws AppError `internal` for what is no path of a checkpoint store */
export function checkedPath(path: string): string {
  if (!PATH.test(path)) throw new AppError("internal", "That is no path of a checkpoint store.", { path });
  return path;
}

/** @throws AppError `internal` */
export function checkedPrefix(prefix: string): string {
  if (prefix !== "") checkedPath(prefix.replace(/\/$/, ""));
  return prefix;
}
