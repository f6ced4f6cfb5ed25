/** Said before the wait for a sandbox that is being started. */
export const SANDBOX_STARTING = "Starting the sandbox.";
