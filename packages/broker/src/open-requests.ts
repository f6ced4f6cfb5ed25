import { check, type AskedRequest, type Rules } from "./allow-list.ts";
import { BY_REQUEST, ONCE, type AuthoriseSettings } from "./authorise.ts";
import type { Refusal } from "./refusal.ts";

/** A request that goes on, or a connection; `rule` is what let it through. */
export type OpenRequest = {
  readonly asked: AskedRequest;
  readonly rule: string;
  /** Breaks it off. */
  readonly cut: (refusal: Refusal) => void;
};

/** What is under way, to be looked at again when rules change. */
export type OpenRequests = {
  /** Call the result at its end. */
  add(conversationId: string, open: OpenRequest): () => void;
  /** Breaks off what the rules as they are now do not allow; of all conversations when none is named. */
  readonly recheck: (conversationId?: string) => Promise<void>;
};

export function openRequests(lookUp: AuthoriseSettings["lookUp"]): OpenRequests {
  const open = new Map<string, Set<OpenRequest>>();
  const recheckOf = async (id: string) => {
    if (!open.has(id)) return;
    const { rules } = await lookUp(id);
    for (const one of open.get(id) ?? []) if (!isAllowed(rules, one)) one.cut(NO_LONGER);
  };
  return {
    add(id, one) {
      const those = open.get(id) ?? new Set();
      open.set(id, those.add(one));
      return () => {
        those.delete(one);
        if (those.size === 0 && open.get(id) === those) open.delete(id);
      };
    },
    async recheck(id) {
      await Promise.all((id === undefined ? [...open.keys()] : [id]).map(recheckOf));
    },
  };
}

/** What a person let through once stays, unless there is to be no network at all. */
function isAllowed(rules: Rules, { asked, rule }: OpenRequest): boolean {
  if (rules.off) return false;
  if (rule === ONCE.allowedBy) return true;
  const decision = check(rules, asked);
  return "allowedBy" in decision || (decision.code === "request_unseen" && rule === BY_REQUEST.allowedBy);
}

const NO_LONGER: Refusal = { code: "no_longer_allowed", message: "The rule that allowed this was removed meanwhile." };
