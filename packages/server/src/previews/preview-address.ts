/** Which port of which conversation. */
export type PreviewPlace = { readonly conversationId: string; readonly port: number };

/** Where previews are reached. */
export type PreviewAddress = {
  /** Whether each preview has a host name, and so an origin, of its own. */
  readonly ownOrigins: boolean;
  /** The origin of a preview, such as `http://8080-3fk….localhost:3001`. */
  originOf(place: PreviewPlace): string;
  /** What the `Host` header names. Undefined where it names no preview; `any` where all previews share an origin. */
  placeOf(host: string | undefined): PreviewPlace | "any" | undefined;
};

/**
 * Reads the base address of previews. `*` in its host stands for a label of each preview's own: `PORT-` and the
 * conversation's id without its prefix, 26 characters at most (a DNS label takes 63).
 */
export function previewAddress(base: string): PreviewAddress {
  const [before = "", after] = base.split("*", 2);
  if (after === undefined) {
    const { host } = new URL(base);
    return {
      ownOrigins: false,
      originOf: () => base,
      placeOf: (asked) => (asked?.toLowerCase() === host ? "any" : undefined),
    };
  }
  const start = before.replace(/^https?:\/\//, "");
  return {
    ownOrigins: true,
    originOf: ({ conversationId, port }) => `${before}${port}-${conversationId.slice(2)}${after}`,
    placeOf(asked) {
      const host = asked?.toLowerCase() ?? "";
      if (!host.startsWith(start) || !host.endsWith(after)) return undefined;
      const label = host.slice(start.length, host.length - after.length);
      const [, port, id] = /^(\d{1,5})-([0-9a-z]{20})$/.exec(label) ?? [];
      return id === undefined ? undefined : { conversationId: `c_${id}`, port: Number(port) };
    },
  };
}
