import { AppError } from "@handrail/protocol/errors";
import { MAX_FILE_BYTES } from "@handrail/protocol/snapshots";
import type { OptionValues } from "./options.ts";
import type { CheckpointStoreName } from "./texts.ts";

/** Where checkpoints go, and what of a workspace is left out of them. */
export type CheckpointConfig = {
  readonly store: CheckpointStorePlace;
  readonly maxFileBytes: number;
  readonly maxTotalBytes: number;
};

/** A place that checkpoints go to, with what it takes to reach it. */
export type CheckpointStorePlace = Exclude<CheckpointStoreName, { type: "s3" }> | S3Config;

/** A bucket, whose `prefix` is empty or ends with `/`. */
export type S3Config = {
  readonly type: "s3";
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
};

/** @throws AppError `config_invalid` when a bucket has no keys */
export function checkpointsFrom(values: OptionValues): CheckpointConfig {
  const store = values.checkpointStore ?? { type: "directory" };
  return {
    store: store.type === "s3" ? s3From(store, values) : store,
    maxFileBytes: Math.min(values.checkpointMaxFile ?? 100 * 1024 ** 2, MAX_FILE_BYTES),
    maxTotalBytes: values.checkpointMaxTotal ?? 4 * 1024 ** 3,
  };
}

function s3From(store: Extract<CheckpointStoreName, { type: "s3" }>, values: OptionValues): S3Config {
  const { checkpointKeyId: accessKeyId, checkpointSecretKey: secretAccessKey } = values;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new AppError(
      "config_invalid",
      "checkpoint-store names a bucket, but AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set. Set both.",
    );
  }
  const region = values.checkpointRegion ?? "us-east-1";
  const endpoint = values.checkpointEndpoint ?? `https://s3.${region}.amazonaws.com`;
  return { ...store, endpoint, region, accessKeyId, secretAccessKey, sessionToken: values.checkpointSessionToken };
}
