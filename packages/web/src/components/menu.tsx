import { Menu as Base } from "@base-ui/react/menu";
import type { LucideIcon } from "lucide-react";
import type { ReactElement } from "react";
import { classNames } from "./class-names.ts";

export type MenuItem = {
  readonly label: string;
  readonly icon: LucideIcon;
  readonly onSelect: () => void;
  readonly danger?: boolean;
};

/** A menu of actions under its trigger. */
export function Menu({
  trigger,
  items,
}: {
  readonly trigger: ReactElement<{ readonly disabled?: boolean }>;
  readonly items: readonly MenuItem[];
}) {
  return (
    <Base.Root>
      <Base.Trigger render={trigger} disabled={trigger.props.disabled === true} />
      <Base.Portal>
        <Base.Positioner sideOffset={4} align="end" className="z-50">
          <Base.Popup className="min-w-44 rounded-ui border border-line-strong bg-raised p-1 shadow-md outline-none">
            {items.map(({ label, icon: Icon, onSelect, danger = false }) => (
              <Base.Item
                key={label}
                onClick={onSelect}
                className={classNames(
                  "flex min-h-7 cursor-pointer items-center gap-2 rounded px-2 outline-none data-highlighted:bg-hover max-md:min-h-10",
                  danger && "text-bad",
                )}
              >
                <Icon size={14} aria-hidden />
                {label}
              </Base.Item>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
