import { homedir } from "node:os";
import { expect, test } from "vitest";
import { addressOf, dockerEndpoint } from "./docker-endpoint.ts";

const read = (host: string) => dockerEndpoint({ host });

test("addresses are read as DOCKER_HOST is written", () => {
  const addresses = ["", "unix:///run/d.sock", "tcp://[::1]:2375", "tcp://box", "http://10.0.0.1:99/", "ssh://me@box"];
  expect(addresses.map(read)).toEqual([
    { type: "socket", path: "/var/run/docker.sock" },
    { type: "socket", path: "/run/d.sock" },
    { type: "tcp", host: "::1", port: 2375 },
    { type: "tcp", host: "box", port: 2375 },
    { type: "tcp", host: "10.0.0.1", port: 99 },
    { type: "ssh", destination: "me@box", port: undefined },
  ]);
});

test("TLS is spoken to the port of its own when it is asked for", () => {
  const certificates = "/certs/client";
  expect([
    dockerEndpoint({ host: "tcp://box", tls: true, certificates }),
    dockerEndpoint({ host: "https://box:1234" }),
    dockerEndpoint({ host: "unix:///run/d.sock", tls: true, certificates }),
  ]).toEqual([
    { type: "tls", host: "box", port: 2376, certificates },
    { type: "tls", host: "box", port: 1234, certificates: `${homedir()}/.docker` },
    { type: "socket", path: "/run/d.sock" },
  ]);
});

test("other addresses are refused, and no password in them is shown", () => {
  for (const address of ["tcp://", "unix://relative", "nonsense", "ssh://-oProxyCommand=x", "ssh://me@-x"]) {
    expect(() => read(address)).toThrow(/cannot be used/);
  }
  expect(() => read("ssh://me:secret@box")).toThrow(/^The Docker address "ssh:\/\/…@box"/);
});

test("an endpoint is shown as it is written", () => {
  const shown = ["unix:///run/d.sock", "tcp://box", "https://box", "ssh://me@box:22"].map((host) =>
    addressOf(read(host)),
  );
  expect(shown).toEqual(["unix:///run/d.sock", "tcp://box:2375", "tcp://box:2376 (TLS)", "ssh://me@box:22"]);
});
