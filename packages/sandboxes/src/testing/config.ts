/** What tests take from the environment. */
export const config = { dockerHost: process.env["DOCKER_HOST"] };

/** Puts something into this process's environment that no sandbox may see. */
export function plantSecret(): void {
  process.env["HANDRAIL_TEST_SECRET"] = "secret";
}
