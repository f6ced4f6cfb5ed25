import type { StoredRule } from "@handrail/protocol/network-routes";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Globe, Trash2 } from "lucide-react";
import { type FormEvent, useRef, useState } from "react";
import { Age } from "../../components/age.tsx";
import { Button, IconButton } from "../../components/button.tsx";
import { classNames } from "../../components/class-names.ts";
import { Empty, Failure } from "../../components/empty.tsx";
import { TextField } from "../../components/field.tsx";
import { Section } from "../../components/section.tsx";
import { PRESET_NAMES } from "../../state/describe-settings.ts";
import { focusList } from "../../components/focus-list.ts";
import { hostTexts } from "../../state/host-texts.ts";
import { useServices } from "../../state/services.ts";
import { useAction } from "../../state/use-action.ts";
import { report, showToast } from "../../state/toasts.ts";
import { type TypedRule, typedRule } from "../../state/typed-rule.ts";
import { TeamSelect } from "../team-select.tsx";

/** What sandboxes may reach beside the rules of their own conversations. */
export function NetworkRulesScreen() {
  const { client } = useServices();
  const { data, error } = useQuery({
    queryKey: ["network-rules"],
    queryFn: ({ signal }) => client.networkRules({ signal }),
    refetchInterval: 10_000,
  });
  return (
    <Section title="Network rules">
      <p className="mb-2 text-ink-2">
        What sandboxes may reach beside what each conversation allows. Answering “Always” to a question adds one here.
      </p>
      {error !== null && <Failure error={error} />}
      {data === undefined && error === null && <p className="text-ink-2">Loading the rules.</p>}
      {data?.rules.length === 0 && <Empty>There is no rule. Each conversation allows what is set there.</Empty>}
      <ul aria-label="Network rules" tabIndex={-1} className="flex flex-col outline-none">
        {data?.rules.map((rule) => (
          <RuleRow key={rule.ruleId} rule={rule} />
        ))}
      </ul>
      <AddRule />
    </Section>
  );
}

function RuleRow({ rule }: { readonly rule: StoredRule }) {
  const { client } = useServices();
  const queries = useQueryClient();
  const row = useRef<HTMLLIElement>(null);
  const name = describeRule(rule);
  const bringBack = async () => {
    const { ruleId: _, createdAt: _at, ...again } = rule;
    await client.addNetworkRule({ body: again });
    await queries.invalidateQueries({ queryKey: ["network-rules"] });
  };
  const remove = useAction(async () => {
    await client.removeNetworkRule({ params: { ruleId: rule.ruleId } });
    focusList(row.current);
    await queries.invalidateQueries({ queryKey: ["network-rules"] });
    showToast(`${name}: no longer allowed, from the next request on.`, "plain", () => report(bringBack()));
  });
  return (
    <li
      ref={row}
      aria-busy={remove.busy}
      className="flex items-center gap-3 border-t border-line py-2 aria-busy:opacity-60"
    >
      <Globe size={14} aria-hidden className="shrink-0 text-ink-3" />
      <div className="min-w-0 flex-1">
        <p className="[overflow-wrap:anywhere] font-mono">{name}</p>
        <p className="text-small text-ink-2">
          {describeScope(rule)} · <Age at={rule.createdAt} />
        </p>
      </div>
      <IconButton label={`Remove ${name}`} icon={Trash2} disabled={remove.busy} onClick={remove.start} />
    </li>
  );
}

function describeScope({ scope, repository, teamId }: StoredRule): string {
  if (scope === "owner") return "all your conversations";
  return scope === "team" ? `all conversations of team ${teamId}` : `your conversations on ${repository}`;
}

function describeRule({ presets = [], hosts = [], requests = [] }: TypedRule): string {
  return [...presets.map((preset) => PRESET_NAMES[preset]), ...hostTexts({ hosts, requests })].join(", ");
}

type NewRule = { readonly rule: TypedRule; readonly team: string; readonly repository: string };

/** Both are empty where the rule is for all of the user's conversations. */
function whoseOf({ team, repository }: Pick<NewRule, "team" | "repository">) {
  if (team !== "") return { scope: "team" as const, teamId: team };
  return repository === "" ? { scope: "owner" as const } : { scope: "repository" as const, repository };
}

function useAddRule(onAdded: () => void) {
  const { client } = useServices();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ rule, ...whose }: NewRule) => client.addNetworkRule({ body: { ...whoseOf(whose), ...rule } }),
    onSuccess: async (_added, { rule }) => {
      onAdded();
      showToast(`${describeRule(rule)}: allowed, from the next request on.`);
      await queries.invalidateQueries({ queryKey: ["network-rules"] });
    },
  });
}

function AddRule() {
  const [host, setHost] = useState("");
  const [team, setTeam] = useState("");
  const [repository, setRepository] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const add = useAddRule(() => setHost(""));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const rule = typedRule(host);
    setWrong(typeof rule === "string" ? rule : null);
    if (typeof rule !== "string") add.mutate({ rule, team, repository: repository.trim() });
  };
  const problem = wrong ?? add.error?.message ?? null;
  return (
    <form onSubmit={submit} noValidate className="mt-3 flex flex-col gap-2">
      <TeamSelect label="Whose conversations" none="Yours" team={team} onTeam={setTeam} />
      <div
        className={classNames(
          "grid items-start gap-3 max-md:grid-cols-1",
          team === "" ? "grid-cols-[1fr_1fr_auto]" : "grid-cols-[1fr_auto]",
        )}
      >
        <TextField
          label="Allow a host"
          hint="A leading dot allows every host below. One kind of request: GET api.example.org/v1/**. A set: npm, registries, git"
          placeholder="api.example.org"
          value={host}
          onValue={setHost}
        />
        {team === "" && (
          <TextField
            label="Only for the repository"
            hint="Its git URL or folder. Empty: for all your conversations."
            value={repository}
            onValue={setRepository}
          />
        )}
        <Button type="submit" disabled={add.isPending} className="mt-6 max-md:mt-0">
          {add.isPending ? "Allowing" : "Allow"}
        </Button>
      </div>
      {problem !== null && (
        <p role="alert" className="text-bad">
          {problem}
        </p>
      )}
    </form>
  );
}
