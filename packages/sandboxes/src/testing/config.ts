/** What tests take from the environment. */
export const config = {
  dockerHost: process.env["DOCKER_HOST"],
  /** A daemon that cannot have disks, on a file system whose users have quotas: `scripts/quota-machine.sh` makes some. */
  quotaDockerHost: process.env["QUOTA_DOCKER_HOST"],
  /** Whether daemons that differ from others only in how they start sandboxes run all contracts too. */
  wholeContracts: process.env["HANDRAIL_TEST_WHOLE"] === "1",
  /** The socket of a runtime to test instead of a containerd of the tests' own. */
  containerdAddress: process.env["CONTAINERD_ADDRESS"],
};

/** Puts something into this process's environment that no sandbox may see. */
export function plantSecret(): void {
  process.env["HANDRAIL_TEST_SECRET"] = "secret";
}
