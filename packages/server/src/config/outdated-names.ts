/** Names that deployments of OpenHands carry, with what to do instead. They have no effect here. */
const OUTDATED: Readonly<Record<string, string>> = {
  SANDBOX_HOST: "Handrail finds its sandboxes by itself.",
  SANDBOX_RUNTIME_CONTAINER_IMAGE: "Any image works as a sandbox: set HANDRAIL_SANDBOX_IMAGE to the one you want.",
  SANDBOX_LOCAL_RUNTIME_URL: "Handrail finds its sandboxes by itself.",
  SANDBOX_USER_ID: "The sandbox's own user is used.",
  SANDBOX_TIMEOUT: "Each command has its own timeout.",
  SANDBOX_VOLUMES: "Choose a folder or a repository for each conversation instead.",
  SANDBOX_KEEP_RUNTIME_ALIVE: "Set HANDRAIL_SANDBOX_IDLE instead.",
  SANDBOX_USE_HOST_NETWORK: "Set HANDRAIL_SANDBOX_NETWORK instead.",
  RUNTIME: "Set HANDRAIL_SANDBOX instead.",
  WORKSPACE_BASE: "Workspaces are in HANDRAIL_HOME.",
  WORKSPACE_MOUNT_PATH: "Workspaces are in HANDRAIL_HOME.",
  WORKSPACE_MOUNT_PATH_IN_SANDBOX: "Workspaces are in HANDRAIL_HOME.",
  FILE_STORE: "State is in HANDRAIL_HOME.",
  FILE_STORE_PATH: "State is in HANDRAIL_HOME.",
  JWT_SECRET: "Handrail makes its own secrets.",
  RUN_AS_OPENHANDS: "The process keeps the user that starts it.",
  DEFAULT_AGENT: "There is one agent.",
  LLM_NUM_RETRIES: "Retries follow what the model's API says.",
};

/** One sentence for each name in `env` that has no effect. */
export function outdatedNames(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.entries(OUTDATED)
    .filter(([name]) => (env[name] ?? "") !== "")
    .map(([name, advice]) => `${name} has no effect in Handrail. ${advice}`);
}
