/** What tests take from the environment. */
export const config = { dockerHost: process.env["DOCKER_HOST"] };
