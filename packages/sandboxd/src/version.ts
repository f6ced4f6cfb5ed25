/** Names the build: a hash of everything it was built from. Put in by `build.ts`; "source" when run unbuilt. */
declare const SANDBOXD_VERSION: string | undefined;

export const VERSION = typeof SANDBOXD_VERSION === "string" ? SANDBOXD_VERSION : "source";
