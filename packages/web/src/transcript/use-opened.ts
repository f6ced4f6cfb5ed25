import { useValue } from "../state/value-store.ts";
import { useTranscript } from "./transcript-context.ts";

/** Whether a row is open, and a way to open or close it that outlasts scrolling away. */
export function useOpened(key: string, byDefault: boolean): readonly [boolean, () => void] {
  const { opened } = useTranscript();
  const open = useValue(opened).get(key) ?? byDefault;
  return [open, () => opened.set(new Map(opened.get()).set(key, !open))];
}
