import { type Member, membersOf } from "./top-level.ts";

/** What to change in a body: values by key as JSON, which are added where they are missing, and keys to take out. */
export type BodyEdits = {
  readonly set: Readonly<Record<string, string>>;
  readonly drop: ReadonlySet<string>;
};

type Cut = { readonly start: number; readonly end: number; readonly put: string };

/**
 * The body with these members changed and every other byte as it was; the same buffer when there is nothing to do. The body
 * is known to be one JSON object. A key that is there twice is changed twice, whatever a parser makes of it.
 */
export function editBody(body: Buffer, { set, drop }: BodyEdits): Buffer {
  const members = membersOf(body);
  const cuts = [...dropped(members, drop), ...changed(body, members, set)];
  const missing = Object.entries(set).filter(([key]) => !members.some((member) => member.key === key));
  const left = members.some(({ key }) => !drop.has(key));
  const added = missing.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(",");
  if (added !== "") cuts.push({ ...openEnd(body), put: added + (left ? "," : "") });
  return cuts.length === 0 ? body : joined(body, cuts);
}

function openEnd(body: Buffer): { readonly start: number; readonly end: number } {
  const at = body.indexOf("{") + 1;
  return { start: at, end: at };
}

function changed(body: Buffer, members: readonly Member[], set: BodyEdits["set"]): Cut[] {
  return members
    .filter(({ key }) => Object.hasOwn(set, key))
    .map(({ key, valueStart, valueEnd }) => ({ start: valueStart, end: valueEnd, put: set[key] ?? "null" }))
    .filter(({ start, end, put }) => body.toString("utf8", start, end) !== put);
}

/** Each with the comma after it, or with the one before it where nothing that stays follows. */
function dropped(members: readonly Member[], drop: ReadonlySet<string>): Cut[] {
  const lastKept = members.findLastIndex(({ key }) => !drop.has(key));
  return members.flatMap(({ key, start, valueEnd }, index) => {
    if (!drop.has(key)) return [];
    if (index < lastKept) return [{ start, end: members[index + 1]?.start ?? valueEnd, put: "" }];
    return [{ start: members[index - 1]?.valueEnd ?? start, end: valueEnd, put: "" }];
  });
}

function joined(body: Buffer, cuts: readonly Cut[]): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const { start, end, put } of cuts.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    parts.push(body.subarray(at, start), Buffer.from(put));
    at = end;
  }
  return Buffer.concat([...parts, body.subarray(at)]);
}
