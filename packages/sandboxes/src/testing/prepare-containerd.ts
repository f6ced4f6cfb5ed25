// Makes what tests of containerd sandboxes start from, unless it is there: node packages/sandboxes/src/testing/prepare-containerd.ts
import { canRunContainerd } from "./containerd-daemon.ts";
import { rootWithImage } from "./containerd-root.ts";

if (await canRunContainerd()) await rootWithImage((text) => process.stdout.write(`${text}\n`));
