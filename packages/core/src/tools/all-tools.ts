import { edit, read, write } from "./files.ts";
import { search } from "./search.ts";
import { ask, finish, tasks } from "./talk.ts";
import { terminal } from "./terminal.ts";
import type { Tool } from "./tool.ts";

/** The built-in tools, in the order in which the model sees them. The order is part of the prompt's stable prefix. */
export const ALL_TOOLS: readonly Tool[] = [terminal, read, edit, write, search, tasks, ask, finish];

export const toolNamed = (name: string): Tool | undefined => ALL_TOOLS.find((tool) => tool.name === name);
