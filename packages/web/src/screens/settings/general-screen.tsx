import type { ModelInfo } from "@handrail/protocol/settings";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { CircleAlert, CircleCheck, CircleX } from "lucide-react";
import { Button } from "../components/button.tsx";
import { Failure } from "../components/empty.tsx";
import { type ModelDraft, NEW_MODEL } from "../state/model-draft.ts";
import { useServices } from "../state/services.ts";
import { sessionQuery, useSettings } from "../state/session-queries.ts";
import { report, showError } from "../state/toasts.ts";
import { DemoOffer } from "./demo-offer.tsx";
import { ModelForm } from "./model-form.tsx";

const CARD = "rounded-ui border border-line bg-raised p-4";

/** The model, the sandboxes and what works on the server's machine. */
export function SettingsScreen() {
  const settings = useSettings();
  return (
    <div className="h-full overflow-auto">
      <div className="mx-auto flex max-w-2xl flex-col gap-5 p-6 max-md:p-4">
        <h1 className="text-title font-semibold">Settings</h1>
        {settings.isError && <Failure error={settings.error} />}
        {settings.data && <ModelSection models={settings.data.models} />}
        <DemoOffer />
        <MachineSection />
        <AboutSection />
      </div>
    </div>
  );
}

function ModelSection({ models }: { readonly models: readonly ModelInfo[] }) {
  const own = models.find((model) => !model.scripted);
  return (
    <section aria-labelledby="model" className={CARD}>
      <div className="mb-3 flex items-center justify-between">
        <h2 id="model" className="font-semibold">
          Model
        </h2>
        {own?.fixed === false && <ForgetModel />}
      </div>
      {own?.fixed === true ? (
        <p className="text-ink-2">
          <code className="font-mono">{own.label}</code> is set by the server's environment or flags, and is changed
          there.
        </p>
      ) : (
        <ModelForm key={own?.id} initial={draftOf(own)} hasKey={own?.hasKey === true} />
      )}
    </section>
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
    <Button tone="quiet" onClick={() => forget.mutate()}>
      Forget the model and its key
    </Button>
  );
}

const FINDING_LOOKS = {
  ok: { icon: CircleCheck, tone: "text-ok", word: "Works" },
  warning: { icon: CircleAlert, tone: "text-warn", word: "Warning" },
  missing: { icon: CircleX, tone: "text-bad", word: "Missing" },
} as const;

function MachineSection() {
  const { client } = useServices();
  const doctor = useQuery({ queryKey: ["doctor"], queryFn: ({ signal }) => client.doctor({ signal }) });
  return (
    <section aria-labelledby="machine" className={CARD}>
      <div className="mb-2 flex items-center justify-between">
        <h2 id="machine" className="font-semibold">
          This machine
        </h2>
        <Button tone="quiet" onClick={() => report(doctor.refetch())}>
          {doctor.isFetching ? "Looking" : "Look again"}
        </Button>
      </div>
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
    </section>
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
      <Button tone="quiet" onClick={() => signOut.mutate()}>
        Sign out
      </Button>
    </footer>
  );
}
