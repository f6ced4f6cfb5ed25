import type { Command } from "commander";
import { AppError } from "@handrail/protocol/errors";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { reachRunning } from "../reach-server.ts";

/** `handrail open`: a fresh sign-in link of the server that runs. */
export function addOpenCommand(program: Command, context: Context): void {
  program
    .command("open")
    .description("print a fresh sign-in link of the server that runs on this machine")
    .addHelpText("after", EXIT_HELP)
    .action(async () => {
      const server = await reachRunning(context.home);
      if (server === undefined) {
        throw new AppError("server_unreachable", "No server is running here. Start one with: npm start");
      }
      const { url } = await server.client.createSignInToken();
      context.screen.out(`${url}\n`);
    });
}
