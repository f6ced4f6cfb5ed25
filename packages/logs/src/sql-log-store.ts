import { createHash } from "node:crypto";
import type { Append, LogStore } from "@handrail/core/ports/log-store";
import { AppError } from "@handrail/protocol/errors";
import type { StoredEvent } from "@handrail/protocol/events";
import type { ConversationSummary } from "@handrail/protocol/summary";
import type { Kysely } from "kysely";
import { appendGroup } from "./append-group.ts";
import { groupCommit } from "./group-commit.ts";
import { listConversations } from "./list-conversations.ts";
import { parseRow, toStoredEvent } from "./stored-json.ts";
import type { Tables } from "./tables.ts";

/** What differs between two SQL databases. */
export type SqlDatabase = {
  /** Where writes go, one transaction at a time. */
  readonly writer: Kysely<Tables>;
  /** Where reads go; sees only what is committed. May be the same as `writer` when that is a pool. */
  readonly reader: Kysely<Tables>;
  /** Whether several writers may be inside transactions at once, so that heads have to be locked. */
  readonly rowLocks: boolean;
  /** Gives what the driver threw its code. */
  readonly toFailure: (thrown: unknown) => AppError;
  readonly now: () => number;
  readonly close: () => Promise<void>;
};

/** Appends to one transaction, at most. */
const GROUP = 256;

/** A `LogStore` over SQL that every supported database understands. Closing it closes the database. */
export function sqlLogStore(database: SqlDatabase): LogStore {
  const { writer, reader } = database;
  const listeners = appendListeners();
  const group = groupCommit<Append, readonly StoredEvent[]>(
    (appends) => appendGroup(writer, appends, database.rowLocks),
    GROUP,
  );
  const guarded = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (thrown) {
      throw database.toFailure(thrown);
    }
  };

  return {
    append: (append) =>
      guarded(async () => {
        const stored = await group.submit(append);
        listeners.notify(append.conversationId, append.expectedSeq + stored.length - 1);
        return stored;
      }),
    read: (conversationId, after, limit) => guarded(() => readEvents(reader, { conversationId, after, limit })),
    summary: (conversationId) => guarded(() => readSummary(reader, conversationId)),
    list: (query) => guarded(() => listConversations(reader, query)),
    remove: (conversationId) => guarded(() => removeConversation(writer, conversationId)),
    onAppend: (listener) => listeners.add(listener),
    putBlob: (bytes) => guarded(() => putBlob(writer, bytes, database.now())),
    getBlob: (ref) => guarded(() => getBlob(reader, ref)),
    async close() {
      await group.idle();
      await database.close();
    },
  };
}

type Range = { readonly conversationId: string; readonly after: number; readonly limit: number };

async function readEvents(db: Kysely<Tables>, range: Range): Promise<readonly StoredEvent[]> {
  const rows = await db
    .selectFrom("events")
    .select(["seq", "at", "event"])
    .where("conversation_id", "=", range.conversationId)
    .where("seq", ">", range.after)
    .orderBy("seq")
    .limit(range.limit)
    .execute();
  return rows.map(toStoredEvent);
}

async function readSummary(db: Kysely<Tables>, id: string): Promise<ConversationSummary> {
  const row = await db.selectFrom("conversations").select("summary").where("id", "=", id).executeTakeFirst();
  if (row === undefined) throw new AppError("conversation_not_found", "There is no such conversation.");
  return parseRow(row.summary);
}

async function removeConversation(db: Kysely<Tables>, id: string): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    await transaction.deleteFrom("conversations").where("id", "=", id).execute();
    await transaction.deleteFrom("events").where("conversation_id", "=", id).execute();
  });
}

async function putBlob(db: Kysely<Tables>, bytes: Uint8Array, now: number): Promise<string> {
  const ref = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  await db
    .insertInto("blobs")
    .values({ ref, bytes: Buffer.from(bytes), created_at: now })
    .onConflict((conflict) => conflict.column("ref").doNothing())
    .execute();
  return ref;
}

async function getBlob(db: Kysely<Tables>, ref: string): Promise<Uint8Array> {
  const row = await db.selectFrom("blobs").select("bytes").where("ref", "=", ref).executeTakeFirst();
  if (row === undefined) throw new AppError("not_found", "There is no such file in the store.", { ref });
  return new Uint8Array(row.bytes);
}

type Listener = Parameters<LogStore["onAppend"]>[0];

/** Wake-ups of this process. A database with NOTIFY sends one in the transaction and calls `notify` on each it hears. */
function appendListeners() {
  const listeners = new Set<Listener>();
  return {
    add(listener: Listener) {
      const own: Listener = (conversationId, seq) => listener(conversationId, seq);
      listeners.add(own);
      return () => listeners.delete(own);
    },
    notify(conversationId: string, seq: number) {
      for (const listener of listeners) {
        try {
          listener(conversationId, seq);
        } catch (thrown) {
          // The events are in: their writer must not be told otherwise.
          process.emitWarning(thrown instanceof Error ? thrown : String(thrown));
        }
      }
    },
  };
}
