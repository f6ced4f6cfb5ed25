import { expect, test } from "vitest";
import { checkMasterKey } from "./check-master-key.ts";

const WEAK = { key: "sk-1234", exposed: false, weakAllowed: false };
const WARNING = {
  detail: "The gateway's master key can be guessed: it has fewer than 16 characters.",
  remedy: "Take a random one, such as sk- and what `openssl rand -hex 24` prints.",
};

test("a weak master key is warned of, and refused where others than this machine could try", () => {
  expect(checkMasterKey(WEAK)).toEqual(WARNING);
  expect(checkMasterKey({ ...WEAK, exposed: true, weakAllowed: true })).toEqual(WARNING);
  expect(() => checkMasterKey({ ...WEAK, exposed: true })).toThrow(
    expect.objectContaining({
      code: "config_invalid",
      message:
        "The gateway's master key can be guessed: it has fewer than 16 characters. " +
        "Others than this machine could try, so the gateway does not start. " +
        "Take a random one, such as sk- and what `openssl rand -hex 24` prints. " +
        "To start all the same, set HANDRAIL_GATEWAY_WEAK_MASTER_KEY=true.",
    }),
  );
});

test("nothing is said of a random master key, nor where none was chosen", () => {
  const exposed = { exposed: true, weakAllowed: false };
  expect(checkMasterKey({ ...exposed, key: "sk-Xq7rT2mK9pLw4ZbC8vN3" })).toBe(undefined);
  expect(checkMasterKey({ ...exposed, key: undefined })).toBe(undefined);
});
