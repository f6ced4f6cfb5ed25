// The few globals that Node, Bun and browsers share and that this package uses. No Node or DOM types here.
declare const crypto: { getRandomValues<Bytes extends Uint8Array>(array: Bytes): Bytes };
declare class TextEncoder {
  encode(text?: string): Uint8Array<ArrayBuffer>;
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes?: Uint8Array, options?: { stream?: boolean }): string;
}
declare class URL {
  constructor(url: string);
  static canParse(url: string): boolean;
  readonly hostname: string;
}
