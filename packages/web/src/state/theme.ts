import { valueStore } from "./value-store.ts";

export type Theme = "system" | "light" | "dark";

const KEY = "handrail.theme";

/** The chosen theme. `system` follows the browser. */
export const theme = valueStore<Theme>(storedTheme());

/** Chooses a theme, for this browser from now on. */
export function chooseTheme(chosen: Theme): void {
  theme.set(chosen);
  localStorage.setItem(KEY, chosen);
  showTheme();
}

/** Puts the chosen theme on the page. Call once before the first render. */
export function showTheme(): void {
  const chosen = theme.get();
  if (chosen === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = chosen;
}

/** The theme after this one, for a button that goes round. */
export const nextTheme = (current: Theme): Theme =>
  current === "system" ? "light" : current === "light" ? "dark" : "system";

function storedTheme(): Theme {
  const stored = typeof localStorage === "undefined" ? null : localStorage.getItem(KEY);
  return stored === "light" || stored === "dark" ? stored : "system";
}
