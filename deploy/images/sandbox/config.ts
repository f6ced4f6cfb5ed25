/** Where the image goes and where its root file system is kept; both may be unset. */
export const config = { host: process.env["DOCKER_HOST"], cacheDirectory: process.env["HANDRAIL_CACHE"] };
