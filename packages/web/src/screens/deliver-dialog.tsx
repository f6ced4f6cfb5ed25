import { leftOutText } from "@handrail/protocol/left-out-files";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useMemo, useState } from "react";
import { Button } from "../components/button.tsx";
import { Dialog } from "../components/dialog.tsx";
import { Field, INPUT, TextField } from "../components/field.tsx";
import { branchName } from "../state/branch-name.ts";
import { plural } from "../state/format.ts";
import { leftovers } from "../state/leftovers.ts";
import { useServices } from "../state/services.ts";
import { showToast } from "../state/toasts.ts";
import { LeftoverWarning } from "./leftover-warning.tsx";

/** A way to take the result out that changes something outside. */
export type Delivery =
  | { readonly kind: "apply"; readonly folder: string }
  | { readonly kind: "branch" }
  | { readonly kind: "push"; readonly url: string };

type DeliverProps = {
  readonly conversationId: string;
  readonly title: string;
  readonly delivery: Delivery;
  readonly onClose: () => void;
};

const TITLES = { apply: "Apply to the folder", branch: "Commit to a branch", push: "Commit and push" } as const;

const WITH_LEFTOVERS = {
  apply: "Apply, with these files",
  branch: "Commit, with these files",
  push: "Push, with these files",
} as const;

/** Asks for what a delivery needs, says what it will do, and does it. */
export function DeliverDialog({ conversationId, title, delivery, onClose }: DeliverProps) {
  const [branch, setBranch] = useState(() => branchName(title));
  const [message, setMessage] = useState(title);
  const deliver = useDeliver(conversationId, onClose);
  const left = useLeftovers(conversationId);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    deliver.mutate(
      delivery.kind === "apply" ? { kind: "apply" } : { kind: delivery.kind, branch: branch.trim(), message },
    );
  };
  return (
    <Dialog title={TITLES[delivery.kind]} open onClose={onClose}>
      <form onSubmit={submit} className="flex flex-col gap-3">
        <Consequence delivery={delivery} />
        <WhatIsInIt left={left} />
        {delivery.kind !== "apply" && (
          <>
            <TextField label="Branch" required maxLength={200} value={branch} onValue={setBranch} />
            <Field label="Commit message">
              {(id) => (
                <textarea
                  id={id}
                  required
                  rows={3}
                  maxLength={10_000}
                  value={message}
                  onChange={(event) => setMessage(event.target.value)}
                  className={INPUT}
                />
              )}
            </Field>
          </>
        )}
        {deliver.isError && (
          <p role="alert" className="text-bad">
            {deliver.error.message}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="primary" type="submit" disabled={deliver.isPending || left.looking}>
            {deliver.isPending ? "Working" : actionOf(delivery, left)}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

type Left = ReturnType<typeof useLeftovers>;

function WhatIsInIt({ left: { found, leftOut } }: { readonly left: Left }) {
  return (
    <>
      {found.length > 0 && <LeftoverWarning found={found} />}
      {leftOut !== undefined && <p className="[overflow-wrap:anywhere]">{leftOutText(leftOut)}</p>}
    </>
  );
}

function actionOf({ kind }: Delivery, { found, looking }: Left): string {
  if (looking) return "Looking at the files";
  return found.length > 0 ? WITH_LEFTOVERS[kind] : TITLES[kind];
}

/** Asked anew for each delivery: since the last checkpoint the sandbox may have more. */
function useLeftovers(conversationId: string) {
  const { client } = useServices();
  const changes = useQuery({
    queryKey: ["changes", conversationId, "deliver"],
    queryFn: ({ signal }) => client.changes({ params: { id: conversationId }, signal }),
    staleTime: 0,
    retry: false,
  });
  const found = useMemo(() => leftovers(changes.data?.changes ?? []), [changes.data]);
  return { found, leftOut: changes.data?.leftOut, looking: changes.isFetching };
}

function useDeliver(conversationId: string, onDone: () => void) {
  const { client } = useServices();
  type Body = Parameters<typeof client.deliver>[0]["body"];
  return useMutation({
    mutationFn: (body: Body) => client.deliver({ params: { id: conversationId }, body }),
    onSuccess: (done) => {
      showToast(
        `${done.ref}: ${plural(done.files, "file")}${done.commit === undefined ? "" : `, commit ${done.commit.slice(0, 10)}`}.`,
      );
      onDone();
    },
  });
}

function Consequence({ delivery }: { readonly delivery: Delivery }) {
  if (delivery.kind === "apply") {
    return (
      <p>
        The changes are written to <code className="font-mono">{delivery.folder}</code> on the server's machine. Where
        your own edits clash with them, nothing is written.
      </p>
    );
  }
  if (delivery.kind === "branch") return <p>A new branch with one commit. Your working tree stays as it is.</p>;
  return (
    <p>
      One commit on a branch, pushed to <code className="font-mono">{delivery.url}</code> with your own git and its
      credentials.
    </p>
  );
}
