import { AppError } from "@handrail/protocol/errors";
import { defined } from "./defined.ts";
import type { ListContext } from "./deployments.ts";
import type { Section } from "./section.ts";

/** What `general_settings` says. */
export type GeneralSettings = {
  readonly masterKey?: string;
  readonly databaseUrl?: string;
  /** Of calls in the ledger. */
  readonly retentionDays?: number;
};

const DAYS: Readonly<Record<string, number>> = { s: 1 / 86_400, m: 1 / 1440, h: 1 / 24, d: 1, w: 7, mo: 30 };

/** Settings that change nothing here, with the reason where there is one worth saying. */
const NOT_SERVED: Readonly<Record<string, string>> = {
  custom_auth: "Sign-in code of one's own is not run: only keys open the gateway.",
  enable_jwt_auth: "Signed tokens do not open the gateway: only keys do.",
  pass_through_endpoints: "Paths that are passed through are not served.",
  alerting: "Alerts are not sent; use the metrics.",
  max_parallel_requests: "There is no limit for all keys together; give limits to keys, users and teams.",
  global_max_parallel_requests: "There is no limit for all keys together; give limits to keys, users and teams.",
};

const WITHOUT_EFFECT = [
  "store_model_in_db",
  "database_connection_pool_limit",
  "database_connection_timeout",
  "proxy_batch_write_at",
  "background_health_checks",
  "health_check_interval",
  "disable_spend_logs",
  "maximum_spend_logs_retention_interval",
  "proxy_budget_rescheduler_min_time",
  "proxy_budget_rescheduler_max_time",
  "allow_requests_on_db_unavailable",
] as const;

const WITHOUT_EFFECT_IN_SETTINGS = [
  "set_verbose",
  "json_logs",
  "turn_off_message_logging",
  "redact_user_api_key_info",
  "suppress_debug_info",
  "telemetry",
  "modify_params",
] as const;

/** The gateway's own settings; what is left out comes from LiteLLM's variables. */
export function generalOf(general: Section, settings: Section, { environment, warn }: ListContext): GeneralSettings {
  for (const [key, sentence] of Object.entries(NOT_SERVED)) {
    if (!general.has(key)) continue;
    general.ignore(key);
    warn(`general_settings.${key}: ${sentence}`);
  }
  settingsOf(settings, warn);
  const retention = general.text("maximum_spend_logs_retention_period");
  const found = defined({
    masterKey: general.text("master_key") ?? environment["LITELLM_MASTER_KEY"],
    databaseUrl: general.text("database_url") ?? environment["DATABASE_URL"],
    retentionDays: retention === undefined ? undefined : daysOf(retention),
  });
  general.ignore(...WITHOUT_EFFECT);
  general.warnOfRest();
  return found;
}

function settingsOf(settings: Section, warn: (sentence: string) => void): void {
  settings.ignore(...WITHOUT_EFFECT_IN_SETTINGS);
  if (settings.flag("drop_params") === true) {
    warn("litellm_settings.drop_params: a field that cannot be carried is refused by its name, not dropped.");
  }
  for (const key of ["callbacks", "success_callback", "failure_callback", "service_callback"]) {
    const others = (settings.texts(key) ?? []).filter((name) => name !== "prometheus");
    if (others.length > 0) warn(`litellm_settings.${key}: ${others.join(", ")} is not served; /metrics always is.`);
  }
}

/** Days of a LiteLLM duration such as `30d`. @throws AppError `config_invalid` */
export function daysOf(duration: string): number {
  const [, count, unit] = /^(\d{1,6})\s*(s|m|h|d|w|mo)$/.exec(duration.trim()) ?? [];
  const days = unit === undefined ? undefined : DAYS[unit];
  if (count === undefined || days === undefined) {
    throw new AppError("config_invalid", `The duration ${duration} must be a number with s, m, h, d, w or mo.`);
  }
  return Number(count) * days;
}
