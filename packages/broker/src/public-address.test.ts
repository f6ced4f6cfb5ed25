import { isNeverReached } from "@handrail/protocol/never-reached";
import { expect, test } from "vitest";
import { isLoopback, isPrivateAddress, isPublicAddress } from "./public-address.ts";

test.each(["1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "2606:4700::1111"])(
  "%s is public",
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

test.each([
  ["this host", "0.0.0.0"],
  ["private", "10.0.0.1"],
  ["private", "172.16.0.1"],
  ["private", "172.31.255.255"],
  ["private", "192.168.1.1"],
  ["carrier grade NAT", "100.64.0.1"],
  ["loopback", "127.0.0.1"],
  ["loopback", "127.255.255.254"],
  ["link-local, metadata", "169.254.169.254"],
  ["container metadata", "169.254.170.2"],
  ["protocol assignments, metadata", "192.0.0.192"],
  ["documentation", "192.0.2.1"],
  ["6to4 relay", "192.88.99.1"],
  ["benchmarks", "198.19.255.255"],
  ["metadata in carrier grade NAT", "100.100.100.200"],
  ["platform service", "168.63.129.16"],
  ["multicast", "224.0.0.1"],
  ["reserved", "240.0.0.1"],
  ["broadcast", "255.255.255.255"],
  ["unspecified", "::"],
  ["loopback", "::1"],
  ["mapped", "::ffff:1.1.1.1"],
  ["mapped", "::ffff:7f00:1"],
  ["compatible", "::7f00:1"],
  ["NAT64", "64:ff9b::1.1.1.1"],
  ["local NAT64", "64:ff9b:1::1"],
  ["discard", "100::1"],
  ["Teredo", "2001:0:1::1"],
  ["ORCHID", "2001:20::1"],
  ["documentation", "2001:db8::1"],
  ["documentation, the newer one", "3fff::1"],
  ["6to4", "2002:7f00:1::1"],
  ["unique local, metadata", "fd00:ec2::254"],
  ["link-local", "fe80::1"],
  ["link-local with a zone", "fe80::1%eth0"],
  ["site-local", "fec0::1"],
  ["multicast", "ff02::1"],
  ["a public one with a zone", "2606:4700::1111%1"],
  ["a name", "example.com"],
  ["nothing", ""],
])("%s (%s) is not public", (_kind, address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each(["10.0.0.1", "100.64.0.1", "172.31.255.255", "192.168.1.1", "198.18.0.1", "203.0.113.1", "fd12:3456::1"])(
  "%s is private",
  (address) => {
    expect([isPrivateAddress(address), isPublicAddress(address)]).toEqual([true, false]);
  },
);

test.each([
  ["this machine", "127.0.0.1"],
  ["this machine", "::1"],
  ["this host", "0.0.0.0"],
  ["metadata", "169.254.169.254"],
  ["metadata in carrier grade NAT", "100.100.100.200"],
  ["unique local, metadata", "fd00:ec2::254"],
  ["unique local, metadata", "fd20:ce::254"],
  ["protocol assignments, metadata", "192.0.0.192"],
  ["platform service", "168.63.129.16"],
  ["multicast", "224.0.0.1"],
  ["link-local", "fe80::1"],
  ["mapped", "::ffff:10.0.0.1"],
  ["NAT64", "64:ff9b::10.0.0.1"],
  ["6to4", "2002:a00:1::1"],
  ["with a zone", "fd12::1%eth0"],
  ["public", "1.1.1.1"],
  ["a name", "db.internal"],
])("%s (%s) is never private", (_kind, address) => {
  expect(isPrivateAddress(address)).toBe(false);
});

test("loopback is told in its plain form only", () => {
  expect(["127.0.0.1", "::1"].map(isLoopback)).toEqual([true, true]);
  expect(["::ffff:127.0.0.1", "::1%lo", "10.0.0.1", "localhost"].map(isLoopback)).toEqual([false, false, false, false]);
});

test("rules refuse just those addresses that are neither public nor private", () => {
  const bytes = [
    0, 1, 9, 10, 63, 64, 88, 99, 100, 126, 127, 128, 129, 168, 169, 172, 192, 198, 200, 203, 223, 224, 254, 255,
  ];
  const low = ["0.0", "0.1", "2.1", "99.1", "100.7", "100.200", "129.16", "113.1"];
  const v4 = bytes.flatMap((a) => bytes.flatMap((b) => low.map((rest) => `${a}.${b}.${rest}`)));
  const groups = [
    "2000",
    "2001",
    "2002",
    "2003",
    "3ffe",
    "3fff",
    "4000",
    "fbff",
    "fc00",
    "fd00",
    "fd20",
    "fdff",
    "fe80",
    "ff02",
    "64",
    "0",
  ];
  const next = ["0", "1", "1ff", "200", "db8", "ec2", "ce", "fff", "1000", "ff9b", "ffff"];
  const v6 = groups.flatMap((a) => next.flatMap((b) => [`${a}:${b}::1`, `${a}:${b}:1:2:3:4:5:6`]));
  const reached = (address: string) => isPublicAddress(address) || isPrivateAddress(address);
  const hostname = (address: string) => new URL(`http://${address.includes(":") ? `[${address}]` : address}/`).hostname;
  const differ = [...v4, ...v6].filter((address) => isNeverReached(hostname(address)) === reached(address));
  expect(differ).toEqual([]);
});
