/** The host that a link leads to, or the address of a mail link; null for links that are not to be followed. */
export function linkHost(href: string | undefined): string | null {
  if (href === undefined || !URL.canParse(href)) return null;
  const url = new URL(href);
  if (url.protocol === "mailto:") return url.pathname;
  return url.protocol === "http:" || url.protocol === "https:" ? url.host : null;
}

/** Whether a link's text is its address already, with the host that it leads to at its front as people read it. */
export function saysAddress(text: string, href: string | undefined): boolean {
  const host = linkHost(href);
  if (href === undefined || host === null) return false;
  const bare = text.replace(/^(?:https?:\/\/|mailto:)/i, "").toLowerCase();
  const meant = [text, `http://${text}`, `mailto:${text}`].filter((address) => URL.canParse(address));
  return bare.startsWith(host.toLowerCase()) && meant.some((address) => new URL(address).href === new URL(href).href);
}
