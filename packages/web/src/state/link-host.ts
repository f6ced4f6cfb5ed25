/** The host that a link leads to, or the address of a mail link; null for links that are not to be followed. */
export function linkHost(href: string | undefined): string | null {
  if (href === undefined || !URL.canParse(href)) return null;
  const url = new URL(href);
  if (url.protocol === "mailto:") return url.pathname;
  return url.protocol === "http:" || url.protocol === "https:" ? url.host : null;
}
