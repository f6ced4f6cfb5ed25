// Makes the default sandbox image, unless the daemon has it: node deploy/images/sandbox/build-image.ts
import { buildDefaultImage } from "../../../packages/sandboxes/src/image/build-default-image.ts";
import { config } from "./config.ts";

const say = (text: string) => process.stdout.write(`${text}\n`);
try {
  const reference = await buildDefaultImage({ ...config, onProgress: say });
  say(`The default image is ${reference}.`);
} catch (thrown) {
  say(thrown instanceof Error ? thrown.message : String(thrown));
  process.exitCode = 1;
}
