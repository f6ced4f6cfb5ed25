import type { Config } from "../config.ts";

type Asked = Pick<Config, "host" | "publicUrl"> & { readonly preview: Pick<Config["preview"], "url"> };

const LOOPBACK = ["127.0.0.1", "::1", "localhost"];
const EVERYWHERE = ["0.0.0.0", "::"];
const REMEDY =
  "Set preview-url (HANDRAIL_PREVIEW_URL) to an address that leads to the preview port, best one with * in its host: https://*.preview.example.net.";

/**
 * The base address of previews on this port; undefined where there is none that is known to lead there. Browsers lead
 * every name under `localhost` to this machine (RFC 6761 §6.3), so each preview can have its own.
 */
export function previewBase(asked: Asked, port: number): string | undefined {
  const { host, preview } = asked;
  if (preview.url !== undefined) return preview.url;
  if (whyNoPreviews(asked) !== undefined) return undefined;
  if (LOOPBACK.includes(host)) return `http://*.localhost:${port}`;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Why previews are off, and what to do; undefined where they are on. */
export function whyNoPreviews({
  host,
  publicUrl,
  preview,
}: Asked): { readonly detail: string; readonly remedy: string } | undefined {
  if (preview.url !== undefined) return undefined;
  if (publicUrl !== undefined) {
    const detail = `Off: browsers reach the page at ${publicUrl}, and no address is set that leads them to the preview port.`;
    return { detail, remedy: REMEDY };
  }
  if (!EVERYWHERE.includes(host)) return undefined;
  return { detail: `Off: on ${host} it is not known by which address browsers reach this machine.`, remedy: REMEDY };
}
