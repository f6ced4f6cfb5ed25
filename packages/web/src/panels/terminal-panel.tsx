import type { AnswerOf } from "@handrail/client/create-client";
import type { Routes } from "@handrail/protocol/routes";
import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { Button } from "../components/button.tsx";
import { classNames } from "../components/class-names.ts";
import { Failure } from "../components/empty.tsx";
import { useServices } from "../state/services.ts";
import { newTerminalName } from "../state/terminal-name.ts";
import type { PanelProps } from "./panel-zone.tsx";
import { TerminalScreen } from "./terminal-screen.tsx";

type Known = AnswerOf<Routes["terminals"]>["terminals"];

/** The sandbox's terminals: those of the agent, live, and the user's own. */
export function TerminalPanel({ conversationId, view, place, go }: PanelProps) {
  const { client } = useServices();
  const bootId = view.state?.liveSandbox?.bootId ?? "";
  const terminals = useQuery({
    queryKey: ["terminals", conversationId, bootId],
    queryFn: ({ signal }) => client.terminals({ params: { id: conversationId }, signal }),
    refetchInterval: 5000,
    retry: false,
  });
  if (terminals.isPending) return <p className="p-4 text-ink-2">Asking the sandbox for its terminals.</p>;
  if (terminals.data === undefined) return <Failure error={terminals.error} />;
  const known = terminals.data.terminals;
  const current = place.terminal ?? known[0]?.terminal ?? "main";
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <TerminalTabs known={known} current={current} onOpen={(terminal) => go({ panel: "terminal", terminal })} />
      <TerminalScreen key={`${current} ${bootId}`} conversationId={conversationId} terminal={current} />
    </div>
  );
}

type TabsProps = {
  readonly known: Known;
  readonly current: string;
  readonly onOpen: (terminal: string) => void;
};

function TerminalTabs({ known, current, onOpen }: TabsProps) {
  const names = known.map((terminal) => terminal.terminal);
  const all = names.includes(current) ? names : [...names, current];
  const running = new Set(known.filter((terminal) => terminal.running).map((terminal) => terminal.terminal));
  return (
    <fieldset
      aria-label="Terminals"
      className="flex shrink-0 items-center gap-1 overflow-x-auto border-b border-line px-2 py-1"
    >
      {all.map((name) => (
        <button
          key={name}
          type="button"
          aria-pressed={name === current}
          onClick={() => onOpen(name)}
          className={classNames(
            "min-h-7 shrink-0 rounded-ui px-2 font-mono max-md:min-h-10",
            name === current ? "bg-accent-soft" : "text-ink-2 hover:bg-hover",
          )}
        >
          {name}
          {running.has(name) && <span className="ml-1 font-sans text-small text-accent">running</span>}
        </button>
      ))}
      <Button tone="quiet" icon={Plus} onClick={() => onOpen(newTerminalName(names))}>
        New
      </Button>
    </fieldset>
  );
}
