import type { Model } from "@handrail/core/ports/model";
import type { Books } from "@handrail/gateway/ports/books";
import { newId } from "@handrail/protocol/ids";
import type { ModelSetting } from "@handrail/protocol/settings";
import type { ConversationKeys } from "./conversation-keys.ts";
import type { PaidModels } from "./gateway-models.ts";
import { meteredModel } from "./metered-model.ts";

type Parts = {
  readonly books: Books;
  readonly keys: ConversationKeys;
  /** The gateway's address for this process, without a path. */
  readonly url: string;
  readonly mask: { add(secret: string): void };
};

/**
 * Models whose calls conversations pay for with keys of their own. Those whose format the gateway passes through go by way of
 * it; the others keep their own library, and are counted in the same books.
 */
export function paidModels({ books, keys, url, mask }: Parts): PaidModels {
  return {
    async open({ id, name, setting, spender }) {
      const { key, record } = await keys.keyOf(spender);
      mask.add(key);
      const { createModel } = await import("@handrail/models/create-model");
      if (throughGateway(setting))
        return createModel({ ...setting, id }, { via: { baseUrl: url, apiKey: key, model: name } });
      const model: Model = createModel({ ...setting, id });
      const place = { deploymentId: name, provider: setting.dialect, upstreamModel: setting.model };
      return meteredModel(model, { books, record, place, newCallId: () => newId("k", Date.now()), now: Date.now });
    },
  };
}

const throughGateway = ({ dialect }: ModelSetting) => dialect === "openai" || dialect === "anthropic";
