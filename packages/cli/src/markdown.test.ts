import { applyTranscript, NO_TRANSCRIPT } from "@handrail/protocol/transcript";
import { foldState } from "@handrail/protocol/conversation-state";
import { summaryOf } from "@handrail/protocol/summary";
import { expect, test } from "vitest";
import { markdown } from "./markdown.ts";
import { RECORDED_RUN } from "./testing/recorded-run.ts";

test("a conversation becomes a document with what was said, done and answered", () => {
  const state = foldState(RECORDED_RUN);
  if (state === null) throw new Error("no state");
  const text = markdown(summaryOf(state), applyTranscript(NO_TRANSCRIPT, RECORDED_RUN));
  expect(text).toBe(`# Fix the test

c_0123456789abcdefghjk, /home/me/project, model m, limited, $0.0250

## User

Fix the test.

*workspace ready: 1 file*

*sandbox docker started in 420 ms*

## Agent

I run the tests first.

\`$ npm test echo done\` (ok)

\`\`\`
1 failing
\`\`\`

\`read src/sum.ts\` (ok)

\`\`\`
1 a
\`\`\`

\`edit src/sum.ts\` (ok)

\`\`\`
Edited.
\`\`\`

\`edit ../x\` (error)

\`\`\`
The path is outside
of the workspace.
\`\`\`

*limit reached: 2 steps for this run*

**limited after 14.0 s**: The run took 2 steps, which is its limit.
`);
});
