import { AppError } from "@handrail/protocol/errors";
import { address } from "../program/text-rules.ts";

/** Where spans go and how many of them. */
export type TraceSettings = {
  /** With its path. */
  readonly url: string;
  readonly protocol: TraceProtocol;
  readonly sampling: TraceSampling;
};

export type TraceProtocol = "http/json" | "http/protobuf";

/** `share` of the traces, from 0 to 1. `parent`: a client that says whether its trace is kept is believed. */
export type TraceSampling = { readonly share: number; readonly parent: boolean };

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * OpenTelemetry's own variables; undefined where they name no receiver or switch traces off. Headers, timeouts, certificates
 * and the service's name are read from them by OpenTelemetry itself.
 *
 * @throws AppError `config_invalid`, naming the variable
 */
export function traceSettings(env: Environment): TraceSettings | undefined {
  if (env["OTEL_SDK_DISABLED"]?.toLowerCase() === "true" || env["OTEL_TRACES_EXPORTER"] === "none") return undefined;
  const url = urlFrom(env);
  return url === undefined ? undefined : { url, protocol: protocolFrom(env), sampling: samplingFrom(env) };
}

function urlFrom(env: Environment): string | undefined {
  const own = valid(env, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  const all = valid(env, "OTEL_EXPORTER_OTLP_ENDPOINT");
  return own ?? (all === undefined ? undefined : `${all.replace(/\/$/, "")}/v1/traces`);
}

function valid(env: Environment, name: string): string | undefined {
  const text = env[name]?.trim() || undefined;
  const problem = text === undefined ? undefined : address(text);
  if (problem !== undefined) throw invalid(name, `it ${problem}`);
  return text;
}

function protocolFrom(env: Environment): TraceProtocol {
  const own = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL";
  const name = env[own] ? own : "OTEL_EXPORTER_OTLP_PROTOCOL";
  const protocol = env[name] || "http/protobuf";
  if (protocol === "http/json" || protocol === "http/protobuf") return protocol;
  throw invalid(name, "it must be http/protobuf or http/json, which receivers take on port 4318");
}

const SAMPLERS: Readonly<Record<string, { readonly share?: number; readonly parent: boolean }>> = {
  always_on: { share: 1, parent: false },
  always_off: { share: 0, parent: false },
  traceidratio: { parent: false },
  parentbased_always_on: { share: 1, parent: true },
  parentbased_always_off: { share: 0, parent: true },
  parentbased_traceidratio: { parent: true },
};

function samplingFrom(env: Environment): TraceSampling {
  const sampler = SAMPLERS[env["OTEL_TRACES_SAMPLER"] || "parentbased_always_on"];
  if (!sampler) throw invalid("OTEL_TRACES_SAMPLER", `it must be one of ${Object.keys(SAMPLERS).join(", ")}`);
  const share = sampler.share ?? Number(env["OTEL_TRACES_SAMPLER_ARG"] || 1);
  if (share >= 0 && share <= 1) return { share, parent: sampler.parent };
  throw invalid("OTEL_TRACES_SAMPLER_ARG", "it must be a number from 0 to 1");
}

const invalid = (name: string, why: string) => new AppError("config_invalid", `${name} is not valid: ${why}.`);
