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
      return { ...state, network: event.requests.reduce(add, state.network) };
    case "network.limited":
      return state;
  }
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
