import type { Readable } from "node:stream";
import type { Routes } from "@handrail/protocol/routes";
import type { z } from "zod";
import type { Identity } from "../auth/identify.ts";

type Part<Of, Key extends string> = Of extends { readonly [K in Key]: infer Schema extends z.ZodType }
  ? z.output<Schema>
  : undefined;

/** What a handler gets: the parts of the request as the route's schemas gave them. */
export type Asked<Name extends keyof Routes> = {
  readonly params: Part<Routes[Name], "params">;
  readonly query: Part<Routes[Name], "query">;
  readonly body: Part<Routes[Name], "body">;
  /** Who asks; on routes that are open to anyone, nobody in particular. */
  readonly identity: Identity;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
  /** The address that the connection comes from. */
  readonly address: string;
  /** Sets a header of the answer. */
  readonly header: (name: string, value: string) => void;
};

/** An answer that is not JSON. `name` makes it a download. */
export type Download = {
  readonly contentType: string;
  readonly content: Buffer | Readable;
  readonly name?: string;
  readonly immutable?: boolean;
};

export type Answer<Name extends keyof Routes> = Routes[Name] extends {
  readonly response: infer Schema extends z.ZodType;
}
  ? z.input<Schema>
  : Download;

/** One handler for each route of the table. */
export type Handlers = {
  readonly [Name in keyof Routes]: (asked: Asked<Name>) => Promise<Answer<Name>>;
};
