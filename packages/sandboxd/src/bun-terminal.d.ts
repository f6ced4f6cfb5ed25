/**
 * The part of Bun that `pty.ts`, `serve.ts` and `snapshot/zstd.ts` use (https://bun.sh/docs/api/spawn#terminal-pty,
 * https://bun.sh/docs/api/utils, 1.4).
 */
declare namespace Bun {
  type TerminalOptions = {
    cols: number;
    rows: number;
    name: string;
    data: (terminal: Terminal, data: Uint8Array) => void;
    exit: (terminal: Terminal, code: number) => void;
  };

  class Terminal {
    constructor(options: TerminalOptions);
    write(data: string | Uint8Array): number;
    resize(cols: number, rows: number): void;
    close(): void;
  }

  type Subprocess = { readonly pid: number; readonly exited: Promise<number> };

  function spawn(
    argv: string[],
    options: { terminal: Terminal; readonly detached?: boolean; cwd: string; env: Record<string, string | undefined> },
  ): Subprocess;

  /** Collects garbage, forgets compiled code and gives free memory back, as soon as no JavaScript runs. */
  function shrink(): void;

  function zstdCompress(bytes: Uint8Array, options: { readonly level: number }): Promise<Uint8Array<ArrayBuffer>>;
  function zstdCompressSync(bytes: Uint8Array, options: { readonly level: number }): Uint8Array<ArrayBuffer>;
  function zstdDecompressSync(data: Uint8Array): Uint8Array<ArrayBuffer>;
}
