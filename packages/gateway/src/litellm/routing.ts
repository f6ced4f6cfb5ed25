import { DEFAULT_ROUTING, type RoutingSettings, type Strategy } from "../ports/deployment.ts";
import type { CatalogRules } from "../catalog/catalog.ts";
import { defined } from "./defined.ts";
import { NO_SECTION, type Section } from "./section.ts";

const STRATEGIES: Readonly<Record<string, Strategy>> = {
  "simple-shuffle": "weighted",
  "least-busy": "least-busy",
  "latency-based-routing": "lowest-latency",
  "cost-based-routing": "cheapest",
  // These spread by use over replicas; the deployment with the fewest calls under way is the nearest to it.
  "usage-based-routing": "least-busy",
  "usage-based-routing-v2": "least-busy",
};

const INFORMATIVE = ["enable_pre_call_checks", "set_verbose", "debug_level", "cache_responses", "client_ttl"] as const;

/** What `router_settings` and `litellm_settings` say of choosing, trying again and falling back. The former wins. */
export function routingOf(
  router: Section,
  settings: Section,
  warn: (sentence: string) => void,
): { readonly routing: RoutingSettings; readonly rules: CatalogRules } {
  router.ignore(...INFORMATIVE);
  const number = (key: string) => [router.number(key), settings.number(key)].find((value) => value !== undefined);
  const seconds = (key: string) => scaled(number(key), 1000);
  const rests = router.flag("disable_cooldowns") !== true;
  const given = defined({
    retries: number("num_retries"),
    backoffMs: seconds("retry_after") || undefined,
    allowedFailures: rests ? number("allowed_fails") : Number.MAX_SAFE_INTEGER,
    cooldownMs: seconds("cooldown_time"),
  });
  return {
    routing: { ...DEFAULT_ROUTING, ...given },
    rules: {
      strategy: strategyOf(router, warn),
      aliases: aliasesOf(router),
      fallbacks: chains("fallbacks", router, settings),
      contextFallbacks: chains("context_window_fallbacks", router, settings),
      contentFallbacks: chains("content_policy_fallbacks", router, settings),
      defaultFallbacks: router.texts("default_fallbacks") ?? settings.texts("default_fallbacks") ?? [],
    },
  };
}

const scaled = (value: number | undefined, by: number) => (value === undefined ? undefined : Math.round(value * by));

function strategyOf(router: Section, warn: (sentence: string) => void): Strategy {
  const name = router.text("routing_strategy") ?? "simple-shuffle";
  const strategy = Object.hasOwn(STRATEGIES, name) ? STRATEGIES[name] : undefined;
  if (strategy === undefined) warn(`The routing strategy ${name} is not known; calls are spread by weight.`);
  if (name.startsWith("usage-based")) warn(`The routing strategy ${name} is served as least-busy.`);
  return strategy ?? "weighted";
}

/** `{name: target}` or `{name: {model: target, hidden: true}}`. */
function aliasesOf(router: Section): Readonly<Record<string, string>> {
  const section = router.section("model_group_alias") ?? NO_SECTION;
  const pairs = section.keys.flatMap((alias) => {
    const target = targetOf(section, alias);
    return target === undefined ? [] : [[alias, target] as const];
  });
  return Object.fromEntries(pairs);
}

function targetOf(section: Section, alias: string): string | undefined {
  if (!section.isSection(alias)) return section.text(alias);
  const item = section.section(alias) ?? NO_SECTION;
  item.ignore("hidden");
  return item.text("model");
}

/** A list of `{name: [names]}`. */
function chains(key: string, ...places: readonly Section[]): Readonly<Record<string, readonly string[]>> {
  const place = places.find((section) => section.has(key)) ?? NO_SECTION;
  const pairs = place.sections(key).flatMap((item) => item.keys.map((name) => [name, item.texts(name) ?? []] as const));
  return Object.fromEntries(pairs);
}
