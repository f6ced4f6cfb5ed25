import { DeploymentInput } from "@handrail/protocol/gateway";
import { AppError } from "@handrail/protocol/errors";
import { z } from "zod";
import type { JsonFile } from "../settings/json-file.ts";
import type { Mask } from "../settings/mask.ts";
import type { Secrets } from "../settings/secrets.ts";

const Stored = DeploymentInput.omit({ apiKey: true }).extend({ id: z.string(), sealedKey: z.string().optional() });

/** What `models.json` holds: places with their keys sealed. */
export const DeploymentsFile = z.object({ deployments: z.array(Stored) });
export type DeploymentsFile = z.infer<typeof DeploymentsFile>;

/** A place with its key. */
export type SetDeployment = DeploymentInput & { readonly id: string };

/** Places where models can be had, as set in the page. */
export type StoredDeployments = {
  /** With their keys, in the order in which they were added. @throws AppError `secret_unreadable`, `storage_failed` */
  all(): Promise<readonly SetDeployment[]>;
  /** @throws AppError `limit_reached` */
  add(input: DeploymentInput): Promise<SetDeployment>;
  /** An absent key keeps the stored one. @throws AppError `not_found`; `bad_request` when the key must be entered anew */
  change(id: string, input: DeploymentInput): Promise<SetDeployment>;
  /** @throws AppError `not_found` */
  remove(id: string): Promise<void>;
};

export type StoredDeploymentsParts = {
  readonly file: JsonFile<DeploymentsFile>;
  readonly secrets: Secrets;
  readonly mask: Mask;
  readonly newId: () => string;
};

const MOST = 500;

export function storedDeployments(parts: StoredDeploymentsParts): StoredDeployments {
  const { mask, newId } = parts;
  const list = sealedList(parts);
  const inTurn = turns();
  return {
    all: () => list.all(),
    add: (input) =>
      inTurn(async () => {
        const before = await list.all();
        if (before.length >= MOST)
          throw new AppError("limit_reached", `There are ${MOST} models already. Remove some.`);
        mask.add(input.apiKey);
        const made = { ...input, id: newId() };
        await list.write([...before, made]);
        return made;
      }),
    change: (id, input) =>
      inTurn(async () => {
        const before = await list.all();
        const changed = { ...keyed(input, found(before, id)), id };
        mask.add(changed.apiKey);
        await list.write(before.map((one) => (one.id === id ? changed : one)));
        return changed;
      }),
    remove: (id) =>
      inTurn(async () => {
        const before = await list.all();
        found(before, id);
        await list.write(before.filter((one) => one.id !== id));
      }),
  };
}

/** The file's list, its keys opened; read once. */
function sealedList({ file, secrets, mask }: StoredDeploymentsParts) {
  let known: Promise<readonly SetDeployment[]> | undefined;
  const opened = ({ sealedKey, ...rest }: z.infer<typeof Stored>): SetDeployment => {
    if (sealedKey === undefined) return rest;
    const apiKey = secrets.unseal(recordOf(rest.id), sealedKey);
    mask.add(apiKey);
    return { ...rest, apiKey };
  };
  const sealed = ({ apiKey, ...rest }: SetDeployment): z.infer<typeof Stored> =>
    apiKey === undefined ? rest : { ...rest, sealedKey: secrets.seal(recordOf(rest.id), apiKey) };
  const read = async () => ((await file.read())?.deployments ?? []).map(opened);
  return {
    all() {
      known ??= read();
      known.catch(() => (known = undefined));
      return known;
    },
    async write(deployments: readonly SetDeployment[]) {
      await file.write({ deployments: deployments.map(sealed) });
      known = Promise.resolve(deployments);
    },
  };
}

/** Changes take turns: each starts from what the one before has written. */
function turns(): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
}

const recordOf = (id: string) => `gateway.${id}`;

function found(deployments: readonly SetDeployment[], id: string): SetDeployment {
  const one = deployments.find((deployment) => deployment.id === id);
  if (one === undefined) throw new AppError("not_found", "There is no such model.");
  return one;
}

/** A key only ever goes to the address that it was entered for. */
function keyed(input: DeploymentInput, known: SetDeployment): DeploymentInput {
  if (input.apiKey !== undefined || known.apiKey === undefined) return input;
  if (known.provider !== input.provider || originOf(known) !== originOf(input)) {
    throw new AppError("bad_request", "Enter the key again: it belongs to another address.", { field: "apiKey" });
  }
  return { ...input, apiKey: known.apiKey };
}

const originOf = ({ baseUrl }: DeploymentInput) => (baseUrl === undefined ? "" : new URL(baseUrl).origin);
