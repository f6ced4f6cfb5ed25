import { pushRuleText, requestRuleText } from "@handrail/protocol/secret-text";
import { SecretName, type SecretInfo, type SecretScope, type SecretUse } from "@handrail/protocol/secrets";
import { type Command, InvalidArgumentError } from "commander";
import type { Context } from "../context.ts";
import { EXIT_HELP, UsageError } from "../exit-codes.ts";
import { plainLine } from "../plain-text.ts";
import { askServer } from "../reach-server.ts";
import { readSecretSetting, type SecretOptions } from "../secret-setting.ts";
import { readSecretValue } from "../secret-value.ts";

type ListOptions = { readonly json?: boolean };
type SetOptions = SecretOptions & { readonly json?: boolean; readonly keepValue?: boolean };

const EXAMPLES = `
The value comes from stdin, or from a prompt that does not show it. Never put it into the command line.

Examples:
  handrail secrets set MODEL_KEY --header "Bearer {secret}" --host api.example.org --env MODEL_KEY
  handrail secrets set API_KEY --header "X-Api-Key: {secret}" --host "api.example.org/v1/**" < key.txt
  handrail secrets set GIT_TOKEN --git git.example.org --fetch "owner/*" --push "owner/repo:handrail/*"
  handrail secrets set MODEL_KEY --host api.example.org --team core
  handrail secrets set SIGNING_KEY --file --env SIGNING_KEY_FILE < key.pem
`;

/** `handrail secrets list|set|remove`: what the broker puts into requests. Values only travel towards the server. */
export function addSecretsCommand(program: Command, context: Context): void {
  const secrets = program
    .command("secrets")
    .description("list, set and remove secrets, which sandboxes use but do not hold")
    .addHelpText("after", EXIT_HELP);
  addList(secrets, context);
  addSet(secrets, context);
  addRemove(secrets, context);
}

function addList(secrets: Command, context: Context): void {
  secrets
    .command("list")
    .description("names and uses of your secrets and your teams', never their values")
    .option("--json", "print one JSON object a line")
    .addHelpText("after", EXIT_HELP)
    .action((options: ListOptions) =>
      askServer(context, async ({ client }) => {
        const found = (await client.secrets()).secrets;
        for (const secret of found) printSecret(context, secret, options);
        if (found.length === 0) context.screen.err("No secret is set. Set one with: handrail secrets set NAME\n");
      }),
    );
}

function addSet(secrets: Command, context: Context): void {
  secrets
    .command("set")
    .argument("<name>", "letters, digits, _ and -, such as NPM_TOKEN", secretName)
    .description("set a secret, or replace one of that name")
    .option("--header <format>", 'put it into a header of requests: "Bearer {secret}", "X-Api-Key: {secret}"')
    .option("--host <host...>", "whose requests get the header: api.example.org, with :PORT and /PATH if need be")
    .option("--git <host>", "sign git over HTTPS in there")
    .option("--fetch <repository...>", "what may be fetched with it, such as owner/*")
    .option("--push <rule...>", "what may be pushed with it, such as owner/repo:handrail/*")
    .option("--file", "give it inside as a file in memory")
    .option("--user <name>", "HTTP Basic with this user, for --git and --host")
    .option("--env <name>", "variable inside: a placeholder, or the file's path")
    .option("--repo <url>", "only for your conversations on this repository")
    .option(
      "--team <id>",
      "for all conversations of this team of yours; it is another secret than your own of that name",
    )
    .option("--description <text>", "what it is for")
    .option("--keep-value", "change its use only, and leave the value as it is")
    .option("--json", "print the secret as JSON, without its value")
    .addHelpText("after", EXAMPLES + EXIT_HELP)
    .action(async (name: string, options: SetOptions) => {
      const setting = readSecretSetting(options);
      const value = options.keepValue === true ? {} : { value: await readSecretValue(context, name) };
      if (value.value === "") throw new UsageError("No value came. Type it at the prompt, or give it on stdin.");
      await askServer(context, async ({ client }) => {
        const saved = await client.saveSecret({ params: { name }, body: { ...setting, ...value } });
        printSecret(context, saved, options);
      });
    });
}

function addRemove(secrets: Command, context: Context): void {
  secrets
    .command("remove")
    .argument("<name>", "its name, as list shows it", secretName)
    .description("forget a secret; requests go without it from then on")
    .option("--team <id>", "the one of this team, not your own")
    .addHelpText("after", EXIT_HELP)
    .action((name: string, { team }: { readonly team?: string }) =>
      askServer(context, async ({ client }) => {
        const all = (await client.secrets()).secrets;
        if (!all.some((secret) => secret.name === name && teamOf(secret) === team)) {
          const whose = team === undefined ? "" : ` of team ${team}`;
          throw new UsageError(`There is no secret ${name}${whose}. See: handrail secrets list`);
        }
        await client.removeSecret({ params: { name }, query: { team } });
        context.screen.err(`${name} is removed.\n`);
      }),
    );
}

const teamOf = ({ scope }: SecretInfo) => (scope.type === "team" ? scope.teamId : undefined);

function secretName(text: string): string {
  const read = SecretName.safeParse(text);
  if (read.success) return read.data;
  throw new InvalidArgumentError(`A name ${read.error.issues[0]?.message ?? "is needed"}.`);
}

function printSecret({ screen }: Context, secret: SecretInfo, { json }: ListOptions): void {
  screen.out(`${json === true ? JSON.stringify(secret) : secretLine(secret)}\n`);
}

/** One secret in one line: name, last use, how it is used, and whose conversations have it. */
export function secretLine({ name, lastUsedAt, use, scope, environment }: SecretInfo): string {
  const used = lastUsedAt === null ? "never used" : new Date(lastUsedAt).toISOString().slice(0, 16).replace("T", " ");
  const variable = environment === undefined ? "" : `, as ${environment}`;
  return `${name.padEnd(20)}  ${used.padEnd(16)}  ${plainLine(`${useText(use)}${variable}  (${scopeText(scope)})`, 300)}`;
}

function scopeText(scope: SecretScope): string {
  if (scope.type === "team") return `team ${scope.teamId}`;
  return scope.type === "owner" ? "all conversations" : scope.url;
}

function useText(use: SecretUse): string {
  if (use.type === "file") return "file";
  if (use.type === "header") {
    return `header ${use.header ?? "authorization"} to ${use.hosts.map(requestRuleText).join(", ")}`;
  }
  const pushes = use.push.map(pushRuleText);
  const may = [["fetch", use.repositories] as const, ["push", pushes] as const].filter(([, names]) => names.length > 0);
  return `git ${use.host}, ${may.map(([verb, names]) => `${verb} ${names.join(" ")}`).join(", ")}`;
}
