import type { PostgresPool, PostgresPoolClient } from "kysely";
import { Client, DatabaseError, Pool, types, type ClientConfig, type CustomTypesConfig, type PoolClient } from "pg";

/** After PostgreSQL did not answer, nobody asks again for so long: each would wait for its deadline. */
const REST_MS = 250;
const CONNECT_WITHIN_MS = 2000;

export type PoolLimits = {
  readonly max: number;
  /** How long one statement may take. */
  readonly withinMs: number;
};

/** Where the tables are. */
const SCHEMA = "handrail";
/** The type `int8` in PostgreSQL's catalog. */
const INT8 = 20;

/** Whole numbers of 64 bits come as numbers. */
const NUMBERS: CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text") =>
    oid === INT8 ? Number : types.getTypeParser(oid, format)) as typeof types.getTypeParser,
};

const session = (url: string, withinMs: number): ClientConfig => ({
  connectionString: url,
  application_name: "handrail",
  // The database may be another program's too.
  options: `-c search_path=${SCHEMA}`,
  connectionTimeoutMillis: CONNECT_WITHIN_MS,
  keepAlive: true,
  // The server gives up first, so that a connection is not lost to a slow statement.
  statement_timeout: withinMs,
  lock_timeout: withinMs,
  idle_in_transaction_session_timeout: withinMs * 2,
  types: NUMBERS,
});

/** Two that begin at once may both try; one of them fails, and the schema is there. */
export async function makeSchema(url: string): Promise<void> {
  const client = newClient(url, CONNECT_WITHIN_MS);
  try {
    await client.connect();
    await client.query(`create schema if not exists ${SCHEMA}`).catch((thrown: unknown) => {
      if (!(thrown instanceof DatabaseError && thrown.code === UNIQUE)) throw thrown;
    });
  } finally {
    await client.end().catch(nothing);
  }
}

const UNIQUE = "23505";

/** One connection outside every pool; whoever asked for it connects and ends it. */
export function newClient(url: string, withinMs: number): Client {
  const client = new Client(session(url, withinMs));
  client.on("error", nothing);
  return client;
}

/**
 * Connections to PostgreSQL of which every use has a deadline. One that did not answer is not used again. The caller ends
 * it; a Kysely over it does so when it is destroyed.
 */
export function boundedPool(url: string, { max, withinMs }: PoolLimits): PostgresPool {
  const pool = new Pool({ ...session(url, withinMs), max });
  pool.on("error", nothing);
  let failedAt = -Infinity;
  const failed = (): void => void (failedAt = performance.now());
  return {
    options: {},
    async connect() {
      if (performance.now() - failedAt < REST_MS) throw new Error("PostgreSQL did not answer a moment ago.");
      try {
        return bounded(await pool.connect(), withinMs + CONNECT_WITHIN_MS, failed);
      } catch (thrown) {
        failed();
        throw thrown;
      }
    },
    end: () => pool.end(),
  };
}

function bounded(client: PoolClient, withinMs: number, failed: () => void): PostgresPoolClient {
  let broken = false;
  // Without a listener the loss of a connection would end the process.
  client.on("error", nothing);
  const query = async (text: string, parameters: readonly unknown[]): Promise<unknown> => {
    if (broken) throw new Error("The connection to PostgreSQL is lost.");
    try {
      return await within(client.query(text, parameters.map(storable)), withinMs);
    } catch (thrown) {
      if (!(thrown instanceof DatabaseError)) {
        broken = true;
        failed();
      }
      throw thrown;
    }
  };
  return {
    query: query as PostgresPoolClient["query"],
    release(destroy) {
      client.removeListener("error", nothing);
      client.release(destroy === true || broken);
    },
  };
}

/** Rejects when it takes longer. */
export async function within<Value>(work: Promise<Value>, ms: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`PostgreSQL did not answer within ${ms} ms.`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(nothing);
  }
}

/** PostgreSQL keeps no zero characters. */
export const withoutZeros = (text: string): string => text.replaceAll("\0", "\uFFFD");

const storable = (value: unknown): unknown => (typeof value === "string" ? withoutZeros(value) : value);

const nothing = (): void => undefined;
