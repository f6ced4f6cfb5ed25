import type { Script } from "@handrail/scripted-model/script";

const TEST = `class UniqTests(unittest.TestCase):

    def test_order_of_first_appearance_is_kept(self):
        self.assertEqual(utils.uniq(['b', 'a', 'b', 'c', 'a']), ['b', 'a', 'c'])

    def test_items_that_cannot_be_hashed(self):
        self.assertEqual(utils.uniq([[1], [2], [1]]), [[1], [2]])


if __name__ == '__main__':
    unittest.main()
`;

const OLD = `def uniq(L):
    r = []
    for item in L:
        if item not in r:
            r.append(item)
    return r
`;

const NEW = `def uniq(L):
    """Return the items of \`L\` without repeats, in order of first appearance."""
    try:
        return list(dict.fromkeys(L))
    except TypeError:  # some item cannot be hashed
        return [item for i, item in enumerate(L) if item not in L[:i]]
`;

const tasks = (...statuses: readonly ("pending" | "active" | "done")[]) => ({
  tool: "tasks",
  arguments: {
    tasks: ["Run the suite as it is", "Add tests for uniq", "Make uniq linear", "Run everything again"].map(
      (title, index) => ({ title, status: statuses[index] ?? "pending" }),
    ),
  },
});
const terminal = (command: string, seconds = 60) => ({
  tool: "terminal",
  arguments: { command, timeout_seconds: seconds },
});

/** An agent's work on docutils: look, test, write a test, change, test again. Every call is real. */
export const docutilsScript: Script = {
  name: "docutils-agent",
  turns: [
    { text: "I will make `uniq` linear, with tests.", calls: [tasks("active")] },
    { calls: [terminal("git log --oneline | head -3 && python3 test/alltests.py 2>&1 | tail -4", 120)] },
    { calls: [{ tool: "search", arguments: { pattern: "\\buniq\\(", glob: "*.py" } }] },
    { calls: [{ tool: "read", arguments: { path: "docutils/utils/__init__.py", from_line: 695, max_lines: 20 } }] },
    { calls: [{ tool: "read", arguments: { path: "test/test_utils/test__init__.py", from_line: 1, max_lines: 30 } }] },
    {
      calls: [
        tasks("done", "active"),
        {
          tool: "edit",
          arguments: {
            path: "test/test_utils/test__init__.py",
            old_text: "if __name__ == '__main__':\n    unittest.main()\n",
            new_text: TEST,
          },
        },
      ],
    },
    { calls: [{ tool: "edit", arguments: { path: "docutils/utils/__init__.py", old_text: OLD, new_text: NEW } }] },
    {
      calls: [
        tasks("done", "done", "done", "active"),
        terminal("python3 test/test_utils/test__init__.py 2>&1 | tail -4"),
      ],
    },
    { calls: [terminal("python3 test/alltests.py 2>&1 | tail -4; git diff --stat", 120)] },
    {
      calls: [
        tasks("done", "done", "done", "done"),
        { tool: "finish", arguments: { summary: "`uniq` is linear now." } },
      ],
    },
  ],
};
