/** The part of Bun that is used here (https://bun.sh/docs/api/ffi, 1.4). */
declare module "bun:ffi" {
  type Symbols = Readonly<Record<string, { readonly args: readonly string[]; readonly returns: string }>>;
  type Pointer = number & { readonly __pointer: true };

  function dlopen<Names extends Symbols>(
    library: string,
    symbols: Names,
  ): {
    readonly symbols: {
      readonly [Name in keyof Names]: (
        ...args: readonly (number | bigint | Pointer | ArrayBufferView | null)[]
      ) => number;
    };
  };
  const read: { i32(at: number): number };
  function ptr(bytes: ArrayBufferView): Pointer;
}
