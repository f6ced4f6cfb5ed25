import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { Button } from "../components/button.tsx";
import { classNames } from "../components/class-names.ts";
import { Failure } from "../components/empty.tsx";
import { newTerminalName } from "../state/terminal-name.ts";
import { useServices } from "../state/services.ts";
import type { PanelProps } from "./panel-zone.tsx";
import { TerminalScreen } from "./terminal-screen.tsx";

/** The sandbox's terminals: those of the agent, live, and the user's own. */
export function TerminalPanel({ conversationId, view, place, go }: PanelProps) {
  const { client } = useServices();
  const terminals = useQuery({
    queryKey: ["terminals", conversationId, view.state?.liveSandbox?.bootId],
    queryFn: ({ signal }) => client.terminals({ params: { id: conversationId }, signal }),
    refetchInterval: 5000,
    retry: false,
  });
  const known = terminals.data?.terminals ?? [];
  const names = known.map((terminal) => terminal.terminal);
  const current = place.terminal ?? names[0] ?? "main";
  const all = names.includes(current) ? names : [...names, current];
  const open = (terminal: string) => go({ panel: "terminal", terminal });
  if (terminals.isError && known.length === 0) return <Failure error={terminals.error} />;
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div
        role="group"
        aria-label="Terminals"
        className="flex items-center gap-1 overflow-x-auto border-b border-line px-2 py-1"
      >
        {all.map((name) => (
          <button
            key={name}
            type="button"
            aria-pressed={name === current}
            onClick={() => open(name)}
            className={classNames(
              "min-h-7 shrink-0 rounded-ui px-2 font-mono max-md:min-h-10",
              name === current ? "bg-accent-soft" : "text-ink-2 hover:bg-hover",
            )}
          >
            {name}
            {known.some((terminal) => terminal.terminal === name && terminal.running) && (
              <span className="ml-1 font-sans text-small text-accent">running</span>
            )}
          </button>
        ))}
        <Button tone="quiet" icon={Plus} onClick={() => open(newTerminalName(names))}>
          New
        </Button>
      </div>
      <TerminalScreen
        key={`${current} ${view.state?.liveSandbox?.bootId ?? ""}`}
        conversationId={conversationId}
        terminal={current}
      />
    </div>
  );
}
