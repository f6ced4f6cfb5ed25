/**
 * Moves the focus from a row that is about to go to what holds it and has `tabIndex={-1}`, such as its list: whoever uses
 * the keyboard stays where they were.
 */
export function focusList(row: HTMLElement | null): void {
  row?.parentElement?.closest<HTMLElement>("[tabindex='-1']")?.focus();
}
