import { lchown, mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { giveTo } from "./conversation-place.ts";
import { runsAsRoot } from "../testing/runs-as-root.ts";

describe.skipIf(!runsAsRoot("What becomes of owners of a workspace"))(
  "a workspace whose sandbox has other users than before",
  () => {
    test("is the first's with all that is in it, and stays as they have it between them", async () => {
      const directory = await mkdtemp(join(tmpdir(), "handrail-owner-"));
      onTestFinished(() => rm(directory, { recursive: true }));
      const [workspace, outside] = [join(directory, "workspace"), join(directory, "outside")];
      await mkdir(workspace);
      await writeFile(join(workspace, "file"), "x");
      await writeFile(outside, "x");
      await symlink(outside, join(workspace, "link"));
      const owners = async () => {
        const paths = [workspace, join(workspace, "file"), outside];
        return Promise.all(paths.map(async (path) => (await stat(path)).uid));
      };
      await giveTo({ first: 70_000, count: 10 }, [workspace]);
      expect(await owners()).toEqual([70_000, 70_000, 0]);
      await lchown(workspace, 70_009, 70_009);
      await lchown(join(workspace, "file"), 70_003, 70_003);
      await giveTo({ first: 70_000, count: 10 }, [workspace]);
      expect(await owners()).toEqual([70_009, 70_003, 0]);
      await giveTo({ first: 69_999, count: 10 }, [workspace]);
      expect(await owners()).toEqual([69_999, 69_999, 0]);
    });
  },
);
