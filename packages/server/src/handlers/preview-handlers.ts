import type { Handlers } from "../http/handlers.ts";
import type { PortWatch } from "../previews/port-watch.ts";
import type { Previews } from "../previews/previews.ts";

type Names = "ports" | "openPreview" | "shares" | "sharePreview" | "endShare";

export type PreviewHandlerParts = {
  readonly previews: Previews;
  readonly watch: PortWatch;
  /** Whether previews can be shown at all. */
  readonly available: () => boolean;
};

export function previewHandlers({ previews, watch, available }: PreviewHandlerParts): Pick<Handlers, Names> {
  return {
    async ports({ params, signal }) {
      return { ports: [...(await watch.ports(params.id, signal))], previews: available() };
    },
    openPreview: async ({ params, body, identity }) => ({
      url: previews.open({ conversationId: params.id, port: body.port }, identity, body.path ?? "/"),
    }),
    shares: async ({ params }) => ({ shares: previews.shares(params.id) }),
    sharePreview: ({ params, body }) => previews.share({ conversationId: params.id, port: body.port }, body.hours),
    async endShare({ params }) {
      await previews.endShare(params.id, params.shareId);
      return {};
    },
  };
}
