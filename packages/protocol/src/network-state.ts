import type { ConversationState } from "./conversation-state.ts";
import type { EventOf } from "./events.ts";

/** A question to the user that is open. `at` is when it was asked. */
export type OpenAsk = Omit<EventOf<"network.asked">, "type"> & { readonly at: number };

/** What the sandbox did on the network. `requests` counts the refused ones too; bytes are those with hosts outside. */
export type NetworkTotals = {
  readonly requests: number;
  readonly refused: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
};

export const NO_NETWORK_USE: NetworkTotals = { requests: 0, refused: 0, bytesUp: 0, bytesDown: 0 };

type NetworkEvent = EventOf<"network.asked" | "network.answered" | "network.recorded" | "network.limited">;

export function isNetworkEvent(event: { readonly type: string }): event is NetworkEvent {
  return event.type.startsWith("network.");
}

/** The part of the fold that tells of the network. Pure. */
export function applyNetworkEvent(state: ConversationState, event: NetworkEvent, at: number): ConversationState {
  switch (event.type) {
    case "network.asked": {
      const { type: _, ...ask } = event;
      return { ...state, asks: [...state.asks, { ...ask, at }] };
    }
    case "network.answered":
      return { ...state, asks: state.asks.filter((ask) => ask.askId !== event.askId) };
    case "network.recorded":
      return {
        ...state,
        network: event.requests.reduce(add, state.network),
        ...(event.spooled === undefined ? {} : { spooled: marked(state.spooled, event.spooled) }),
      };
    case "network.limited":
      return state;
  }
}

const MAX_SPOOLS = 8;

/** Of the files that were last heard of. */
function marked(
  before: ConversationState["spooled"] = {},
  { spool, upTo }: { readonly spool: string; readonly upTo: number },
): Readonly<Record<string, number>> {
  const others = Object.entries(before).filter(([known]) => known !== spool);
  return Object.fromEntries([...others.slice(1 - MAX_SPOOLS), [spool, upTo]]);
}

function add(totals: NetworkTotals, request: EventOf<"network.recorded">["requests"][number]): NetworkTotals {
  const count = request.count ?? 1;
  return {
    requests: totals.requests + count,
    refused: totals.refused + (request.allowed ? 0 : count),
    bytesUp: totals.bytesUp + request.bytesUp,
    bytesDown: totals.bytesDown + request.bytesDown,
  };
}
