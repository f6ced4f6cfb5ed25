import { sql, type Kysely } from "kysely";
import { DATABASE_NOW } from "./postgres-presence.ts";
import { fromReservationRow, type OpenCall } from "./settled-call.ts";
import type { Tables } from "./tables.ts";

const AT_ONCE = 500;

/** Calls under way in replicas that were not heard of for the lease, or that left; some of them, when there are many. */
export async function deadReservations(db: Kysely<Tables>, leaseMs: number): Promise<readonly OpenCall[]> {
  const { rows } = await sql<Tables["reservations"]>`select reservations.* from reservations
    left join replicas on replicas.id = reservations.process_id
    where replicas.id is null or replicas.seen_at < ${sql.raw(DATABASE_NOW)} - ${leaseMs}::bigint
    limit ${AT_ONCE}`.execute(db);
  return rows.map(fromReservationRow);
}

/** Removes replicas that are long gone and left nothing. */
export async function forgetReplicas(db: Kysely<Tables>, leaseMs: number): Promise<void> {
  await sql`delete from replicas where seen_at < ${sql.raw(DATABASE_NOW)} - ${leaseMs * 10}::bigint
    and not exists (select 1 from reservations where process_id = replicas.id)`.execute(db);
}
