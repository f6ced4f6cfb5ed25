import type { ModelInfo } from "@handrail/protocol/settings";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { CircleAlert, CircleCheck, CircleDashed, CircleX } from "lucide-react";
import { Button } from "../../components/button.tsx";
import { Failure } from "../../components/empty.tsx";
import { Section } from "../../components/section.tsx";
import { type ModelDraft, NEW_MODEL } from "../../state/model-draft.ts";
import { useServices } from "../../state/services.ts";
import { sessionQuery, useSettings } from "../../state/session-queries.ts";
import { report, showError } from "../../state/toasts.ts";
import { DemoOffer } from "../demo-offer.tsx";
import { ModelForm } from "../model-form.tsx";

/** The model that conversations use first, and what works on the server's machine. */
export function GeneralScreen() {
  const settings = useSettings();
  return (
    <>
      {settings.isError && <Failure error={settings.error} />}
      {settings.data && <ModelSection models={settings.data.models} />}
      <DemoOffer />
      <MachineSection />
      <AboutSection />
    </>
  );
}

function ModelSection({ models }: { readonly models: readonly ModelInfo[] }) {
  const own = models.find((model) => model.id === "default");
  return (
    <Section title="Model" action={own?.fixed === false && <ForgetModel />}>
      {own?.fixed === true ? (
        <p className="text-ink-2">
          <code className="font-mono">{own.label}</code> is set by the server's environment or flags, and is changed
          there.
        </p>
      ) : (
        <ModelForm key={own?.id} initial={draftOf(own)} hasKey={own?.hasKey === true} />
      )}
    </Section>
  );
}

function draftOf(model: ModelInfo | undefined): ModelDraft {
  if (model === undefined) return NEW_MODEL;
  return { ...NEW_MODEL, dialect: model.dialect, baseUrl: model.baseUrl ?? "", model: model.label };
}

function ForgetModel() {
  const { client } = useServices();
  const queries = useQueryClient();
  const forget = useMutation({
    mutationFn: () => client.removeModel(),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["settings"] }),
    onError: showError,
  });
  return (
    <Button tone="quiet" disabled={forget.isPending} onClick={() => forget.mutate()}>
      {forget.isPending ? "Forgetting" : "Forget the model and its key"}
    </Button>
  );
}

const FINDING_LOOKS = {
  ok: { icon: CircleCheck, tone: "text-ok", word: "Works" },
  warning: { icon: CircleAlert, tone: "text-warn", word: "Warning" },
  partial: { icon: CircleDashed, tone: "text-warn", word: "In part" },
  missing: { icon: CircleX, tone: "text-bad", word: "Missing" },
} as const;

function MachineSection() {
  const { client } = useServices();
  const doctor = useQuery({ queryKey: ["doctor"], queryFn: ({ signal }) => client.doctor({ signal }) });
  return (
    <Section
      title="This machine"
      action={
        <Button tone="quiet" disabled={doctor.isFetching} onClick={() => report(doctor.refetch())}>
          {doctor.isFetching ? "Looking" : "Look again"}
        </Button>
      }
    >
      {doctor.isError && <Failure error={doctor.error} />}
      <dl className="flex flex-col gap-2">
        {doctor.data?.findings.map((finding) => {
          const { icon: Icon, tone, word } = FINDING_LOOKS[finding.state];
          return (
            <div key={finding.name} className="grid grid-cols-[96px_1fr] gap-x-3">
              <dt className={`flex items-center gap-1 self-start font-medium ${tone}`}>
                <Icon size={14} aria-hidden />
                {word}
              </dt>
              <dd>
                <span className="font-medium">{finding.name}</span>: {finding.detail}
              </dd>
              {finding.remedy !== undefined && <dd className="col-start-2 text-ink-2">{finding.remedy}</dd>}
            </div>
          );
        })}
      </dl>
    </Section>
  );
}

function AboutSection() {
  const { client, queries } = useServices();
  const session = useQuery(sessionQuery(client)).data;
  const signOut = useMutation({
    mutationFn: () => client.signOut(),
    onSuccess: () => queries.resetQueries({ queryKey: ["session"] }),
    onError: showError,
  });
  return (
    <footer className="flex items-center justify-between text-ink-2">
      <span>Handrail {session?.version}</span>
      <Button tone="quiet" disabled={signOut.isPending} onClick={() => signOut.mutate()}>
        {signOut.isPending ? "Signing out" : "Sign out"}
      </Button>
    </footer>
  );
}
