import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DIND_CAPABILITIES, DIND_DEVICES } from "./build-dind-image.ts";

test("the compose file of the sidecar gives what its tests give", () => {
  const compose = readFileSync(join(import.meta.dirname, "../../../../deploy/compose/sidecar.yaml"), "utf8");
  const listed = (key: string) =>
    (new RegExp(`${key}:\\n((?: {6}- .*\\n)+)`).exec(compose)?.[1] ?? "")
      .trim()
      .split(/\n? *- /)
      .slice(1);
  expect({ capabilities: listed("cap_add"), devices: listed("device_cgroup_rules") }).toEqual({
    capabilities: DIND_CAPABILITIES,
    devices: DIND_DEVICES,
  });
});
