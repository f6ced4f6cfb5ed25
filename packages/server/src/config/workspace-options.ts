import { SizeText, TimeText } from "@handrail/protocol/option-texts";
import { z } from "zod";
import type { Option } from "./option.ts";
import { CheckpointStoreText, HttpUrlText } from "./texts.ts";

/** Settings of what is kept of workspaces. */
export const WORKSPACE_OPTIONS = {
  checkpointStore: {
    env: ["HANDRAIL_CHECKPOINT_STORE"],
    value: CheckpointStoreText,
    help: "Where checkpoints of workspaces are kept: directory (in the state directory), none, or a bucket such as s3://name/prefix.",
  },
  checkpointEndpoint: {
    env: ["HANDRAIL_CHECKPOINT_ENDPOINT"],
    value: HttpUrlText,
    help: "Address of the S3-compatible server. Default: Amazon's in the region.",
  },
  checkpointRegion: {
    env: ["HANDRAIL_CHECKPOINT_REGION", "AWS_REGION"],
    value: z.string().regex(/^[a-z0-9-]{1,64}$/),
    help: "The bucket's region. Default us-east-1.",
  },
  checkpointKeyId: {
    env: ["HANDRAIL_CHECKPOINT_KEY_ID", "AWS_ACCESS_KEY_ID"],
    value: z.string().min(1).max(256),
    help: "Access key for the bucket.",
    secret: true,
  },
  checkpointSecretKey: {
    env: ["HANDRAIL_CHECKPOINT_SECRET_KEY", "AWS_SECRET_ACCESS_KEY"],
    value: z.string().min(1).max(1024),
    help: "Its secret.",
    secret: true,
  },
  checkpointSessionToken: {
    env: ["HANDRAIL_CHECKPOINT_SESSION_TOKEN", "AWS_SESSION_TOKEN"],
    value: z.string().min(1).max(8192),
    help: "What goes with temporary keys.",
    secret: true,
  },
  checkpointMaxFile: {
    env: ["HANDRAIL_CHECKPOINT_MAX_FILE"],
    value: SizeText,
    help: "Files over this are left out of checkpoints. At most 64g. Default 100m.",
  },
  checkpointMaxTotal: {
    env: ["HANDRAIL_CHECKPOINT_MAX_TOTAL"],
    value: SizeText,
    help: "Files of one checkpoint together; what goes beyond is left out. Default 4g.",
  },

  setupTime: {
    env: ["HANDRAIL_SETUP_TIME"],
    value: TimeText,
    help: "How long the set-up of a new workspace may take; it is then stopped. Default 15m.",
  },
  setupCache: {
    env: ["HANDRAIL_SETUP_CACHE"],
    value: SizeText.or(z.literal("0").transform(() => 0)),
    help: "Kept results of set-ups together; what was used longest ago goes first. 0 keeps none. Default 10g.",
  },
} as const satisfies Record<string, Option>;
