import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  DIND_CAPABILITIES,
  DIND_DEVICES,
  ROOTLESS_CAPABILITIES,
  ROOTLESS_DEVICES,
  ROOTLESS_USER,
} from "./build-dind-image.ts";

/** The compose file of that name, and what it lists under a key. */
function composeFile(name: string) {
  const text = readFileSync(join(import.meta.dirname, "../../../../deploy/compose", name), "utf8");
  const listed = (key: string) =>
    (new RegExp(`${key}:\\n((?: {6}- .*\\n)+)`).exec(text)?.[1] ?? "")
      .trim()
      .split(/\n? *- /)
      .slice(1);
  return { text, listed };
}

test("the compose file of the sidecar gives what its tests give", () => {
  const { listed } = composeFile("sidecar.yaml");
  expect({ capabilities: listed("cap_add"), devices: listed("device_cgroup_rules") }).toEqual({
    capabilities: DIND_CAPABILITIES,
    devices: DIND_DEVICES,
  });
});

test("the compose file of the rootless sidecar gives what its tests give", () => {
  const { text, listed } = composeFile("sidecar-rootless.yaml");
  expect({
    user: /user: "(.*)"/.exec(text)?.[1],
    capabilities: listed("cap_add"),
    security: listed("security_opt"),
    temporary: listed("tmpfs"),
    devices: listed("devices"),
  }).toEqual({
    user: `${ROOTLESS_USER}:${ROOTLESS_USER}`,
    capabilities: ROOTLESS_CAPABILITIES,
    security: ["seccomp:unconfined", "apparmor:unconfined", "systempaths=unconfined"],
    temporary: ["/tmp"],
    devices: ROOTLESS_DEVICES,
  });
});

test.each(["sidecar.yaml", "sidecar-rootless.yaml"])(
  "the directory of the socket of %s is there after a restart of the machine, and named as the file says",
  (name) => {
    const { text } = composeFile(name);
    const [, directory = ""] = /HANDRAIL_DIND_SOCKETS:-(.*?)}/.exec(text) ?? [];
    expect(directory).toMatch(/^\/var\/lib\/[a-z-]+$/);
    expect(text).toContain(`DOCKER_HOST=unix://${directory}/docker.sock `);
  },
);
