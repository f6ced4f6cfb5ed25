import type { LucideIcon } from "lucide-react";
import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import { classNames } from "./class-names.ts";

type Tone = "primary" | "plain" | "quiet" | "danger" | "ask";

const TONES: Readonly<Record<Tone, string>> = {
  primary: "bg-accent-solid text-on-accent border-transparent hover:brightness-110",
  plain: "bg-raised text-ink border-line-strong hover:bg-hover",
  quiet: "border-transparent text-ink-2 hover:bg-hover hover:text-ink",
  danger: "bg-raised text-bad border-bad hover:bg-bad-soft",
  ask: "bg-raised text-ink border-ask hover:bg-ask-soft",
};

const BASE =
  "inline-flex shrink-0 items-center justify-center gap-1.5 rounded-ui border text-ui font-medium whitespace-nowrap disabled:opacity-60 aria-disabled:opacity-60";

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  readonly tone?: Tone;
  readonly icon?: LucideIcon;
  readonly children: ReactNode;
  readonly ref?: Ref<HTMLButtonElement>;
};

/** A button with a word on it. While it is disabled a press does nothing, and the focus stays on it if it was there. */
export function Button(props: ButtonProps) {
  const { tone = "plain", icon: Icon, children, className, disabled = false, onClick, ...rest } = props;
  return (
    <button
      type="button"
      {...rest}
      aria-disabled={disabled || undefined}
      // That of a form would send it.
      onClick={disabled ? (event) => event.preventDefault() : onClick}
      className={classNames(BASE, TONES[tone], "min-h-7 px-2.5 py-1 max-md:min-h-10", className)}
    >
      {Icon && <Icon size={14} aria-hidden />}
      {children}
    </button>
  );
}

type IconButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "children"> & {
  readonly label: string;
  readonly icon: LucideIcon;
  readonly ref?: Ref<HTMLButtonElement>;
};

/** A button with an icon; its label is read aloud and shown on hover. Disabled, it is like a `Button` that is. */
export function IconButton(props: IconButtonProps) {
  const { label, icon: Icon, className, disabled = false, onClick, ...rest } = props;
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      aria-disabled={disabled || undefined}
      onClick={disabled ? undefined : onClick}
      className={classNames(BASE, TONES.quiet, "size-7 max-md:size-10", className)}
    >
      <Icon size={16} aria-hidden />
    </button>
  );
}
