import { isOther, namesIn } from "./directory-names.ts";
import { type FileCalls, STAT } from "./file-calls.ts";
import { statBytes, statKey, statType } from "./files.ts";
import { TYPE } from "./fuse-abi.ts";
import { type Memory, newMemory } from "./request.ts";
import type { Space } from "./space.ts";

const AT_ONCE_BYTES = 64 * 1024;

/**
 * Counts all that is below the root. A file with several names takes its space once. What cannot be looked at, since directories were
 * moved so deep that its path is too long, leaves no room until they are moved back.
 */
export function countFiles(calls: FileCalls, space: Space): void {
  const memory = newMemory(calls);
  const linked = new Set<number | string>();
  const left = ["/"];
  const bytesOf = (path: string): number => {
    if (calls.look(path) < 0) return space.limit;
    if (statType(calls.stat) === TYPE.directory) left.push(path);
    else if (calls.stat.getUint32(STAT.links, true) > 1 && !isFirst(linked, statKey(calls.stat))) return 0;
    return statBytes(calls.stat);
  };
  for (let directory = left.pop(); directory !== undefined; directory = left.pop()) {
    const names = namesBelow(calls, directory, memory);
    if (names === undefined) space.addBytes(space.limit);
    for (const name of names ?? []) {
      space.addNames(1);
      space.addBytes(bytesOf(directory === "/" ? `/${name}` : `${directory}/${name}`));
    }
  }
}

function isFirst(seen: Set<number | string>, key: number | string): boolean {
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
}

function namesBelow(calls: FileCalls, directory: string, memory: Memory): readonly string[] | undefined {
  const file = calls.openDirectory(directory);
  if (file < 0) return undefined;
  const found: string[] = [];
  for (let given = 1; given > 0;) {
    given = calls.names(file, memory.address, AT_ONCE_BYTES);
    found.push(...[...namesIn(memory, given)].map(({ name }) => name).filter(isOther));
  }
  calls.close(file);
  return found;
}
