/** What the C library is called: GNU's, and musl's on each processor. */
const LIBRARIES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];

type Foreign = typeof import("bun:ffi");

/** Functions of the C library; undefined where it has not all of them, or cannot be called. Only under Bun. */
export async function cLibrary<const Names extends Parameters<Foreign["dlopen"]>[1]>(names: Names) {
  const { dlopen } = await import("bun:ffi");
  for (const library of LIBRARIES) {
    try {
      return dlopen(library, names).symbols;
    } catch {
      // It is another one, or has not all of them.
    }
  }
  return undefined;
}

/** The same where nothing can be done without. @throws when the C library cannot be called */
export async function requireCLibrary<const Names extends Parameters<Foreign["dlopen"]>[1]>(names: Names) {
  const library = await cLibrary(names);
  if (library === undefined) throw new Error("The C library cannot be called.");
  return library;
}
