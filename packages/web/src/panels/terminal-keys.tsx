import { Button } from "../components/button.tsx";

const KEYS = [
  { label: "Esc", text: "\u001b" },
  { label: "Tab", text: "\t" },
  { label: "Ctrl C", text: "\u0003" },
  { label: "Ctrl D", text: "\u0004" },
  { label: "↑", text: "\u001b[A" },
  { label: "↓", text: "\u001b[B" },
  { label: "Enter", text: "\r" },
] as const;

/** Keys that a phone's keyboard does not have. */
export function TerminalKeys({ onType }: { readonly onType: (text: string) => void }) {
  return (
    <fieldset aria-label="Terminal keys" className="flex gap-1 overflow-x-auto border-t border-line p-1 md:hidden">
      {KEYS.map(({ label, text }) => (
        <Button key={label} onClick={() => onType(text)}>
          {label}
        </Button>
      ))}
    </fieldset>
  );
}
