import { type KeyboardEvent, useState } from "react";
import { classNames } from "../components/class-names.ts";
import { Dialog } from "../components/dialog.tsx";
import { INPUT } from "../components/field.tsx";
import { type Command, matchCommands } from "../state/palette.ts";
import { useCommands } from "./use-commands.ts";

type PaletteProps = { readonly open: boolean; readonly onClose: () => void; readonly onHelp: () => void };

/** Every action and every conversation, by typing a part of its name. */
export function Palette({ open, onClose, onHelp }: PaletteProps) {
  return (
    <Dialog title="Go to, or do" open={open} onClose={onClose} wide>
      {open && <PaletteList onClose={onClose} onHelp={onHelp} />}
    </Dialog>
  );
}

function PaletteList({ onClose, onHelp }: Omit<PaletteProps, "open">) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const found = matchCommands(useCommands(onHelp), text).slice(0, 50);
  const choose = (command: Command | undefined) => {
    if (command === undefined) return;
    onClose();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = STEPS[event.key] ?? 0;
    if (step !== 0) setAt((current) => (current + step + found.length) % Math.max(1, found.length));
    else if (event.key === "Enter") choose(found[at]);
    else return;
    event.preventDefault();
  };
  const type = (value: string) => {
    setText(value);
    setAt(0);
  };
  return (
    <>
      <input
        role="combobox"
        aria-label="Search actions and conversations"
        aria-expanded
        aria-controls="palette-list"
        aria-activedescendant={found[at] && `palette-${at}`}
        value={text}
        onChange={(event) => type(event.target.value)}
        onKeyDown={onKeyDown}
        className={INPUT}
      />
      <Found found={found} at={at} onChoose={choose} />
      {found.length === 0 && <p className="p-2 text-ink-2">Nothing has that name. Try fewer letters.</p>}
    </>
  );
}

const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 };

type FoundProps = {
  readonly found: readonly Command[];
  readonly at: number;
  readonly onChoose: (command: Command) => void;
};

// A native list of options cannot hold keys beside names, nor be driven from a field (WAI-ARIA APG, combobox).
/* oxlint-disable jsx-a11y/prefer-tag-over-role, jsx-a11y/click-events-have-key-events */
function Found({ found, at, onChoose }: FoundProps) {
  return (
    <div id="palette-list" role="listbox" aria-label="Found" className="mt-2 max-h-[50dvh] overflow-auto">
      {found.map((command, index) => (
        <div
          key={command.id}
          id={`palette-${index}`}
          role="option"
          aria-selected={index === at}
          tabIndex={-1}
          onClick={() => onChoose(command)}
          ref={index === at ? scrollIntoSight : null}
          className={classNames(
            "flex min-h-8 cursor-pointer items-center justify-between gap-2 rounded px-2 max-md:min-h-10",
            index === at && "bg-accent-soft",
          )}
        >
          <span className="truncate">{command.name}</span>
          <span className="shrink-0 text-small text-ink-3">{command.keys}</span>
        </div>
      ))}
    </div>
  );
}

const scrollIntoSight = (element: HTMLElement | null) => element?.scrollIntoView({ block: "nearest" });
