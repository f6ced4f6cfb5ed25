import type { Command } from "commander";
import { countText, durationText } from "../amounts.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { plainLine } from "../plain-text.ts";
import { askServer } from "../reach-server.ts";

const SHORT_ID = 12;

/** `handrail setups`: results of set-ups that later conversations start with. */
export function addSetupsCommand(program: Command, context: Context): void {
  const { screen } = context;
  program
    .command("setups")
    .option("--clear", "forget them all: the next conversations are set up from nothing")
    .description("list the kept results of repositories' set-ups, latest used first")
    .addHelpText("after", EXIT_HELP)
    .action(({ clear }: { readonly clear?: boolean }) =>
      askServer(context, async ({ client }) => {
        if (clear === true) {
          const { forgotten } = await client.forgetSetups({});
          screen.out(`${countText(forgotten, "kept set-up")} forgotten.\n`);
          return;
        }
        const { setups } = await client.setups({});
        if (setups.length === 0) screen.err("Nothing is kept.\n");
        for (const { id, source, command, usedAt, ranMs, files } of setups) {
          const what = `${plainLine(source, 200)}  ${plainLine(command, 100)}`;
          const saves = `${countText(files, "file")}, ran ${durationText(ranMs)}`;
          screen.out(`${id.slice(0, SHORT_ID)}  ${new Date(usedAt).toISOString()}  ${what}  ${saves}\n`);
        }
      }),
    );
}
