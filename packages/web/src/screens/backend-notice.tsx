import { Button } from "../components/button.tsx";
import { profileChoice } from "../state/profile-choice.ts";
import { useSettings } from "../state/session-queries.ts";
import { report } from "../state/toasts.ts";
import type { DraftProps } from "./source-fields.tsx";

/** Says what to do when no sandbox backend works; nothing when one does. */
export function BackendNotice() {
  const settings = useSettings();
  const backends = settings.data?.backends;
  if (backends === undefined || backends.some((backend) => backend.works)) return null;
  return (
    <section aria-labelledby="no-backend" className="rounded-ui border border-warn bg-warn-soft p-3">
      <h2 id="no-backend" className="font-semibold text-warn">
        No sandbox works on this machine
      </h2>
      <p>Commands of the agent run only inside a sandbox. Make one of these work:</p>
      <dl className="mt-2 flex flex-col gap-2">
        {backends.map((backend) => (
          <div key={backend.name}>
            <dt className="font-mono font-medium">{backend.name}</dt>
            <dd>{backend.detail}</dd>
            {backend.remedy !== undefined && <dd className="text-ink-2">{backend.remedy}</dd>}
          </div>
        ))}
      </dl>
      <Button className="mt-2" onClick={() => report(settings.refetch())}>
        Look again
      </Button>
    </section>
  );
}

/** Says that the chosen backend does not work, and offers one that does; nothing where it works, or none does. */
export function ChosenBackendNotice({ draft, onChange }: DraftProps) {
  const settings = useSettings();
  if (settings.data === undefined) return null;
  const { backends, defaults } = settings.data;
  const chosen = backends.find(({ name }) => name === (draft.backend === "" ? defaults.backend : draft.backend));
  const working = backends.find((backend) => backend.works);
  if (working === undefined || chosen === undefined || chosen.works) return null;
  return (
    <section aria-label={`${chosen.name} does not work`} className="rounded-ui border border-warn bg-warn-soft p-3">
      <p className="font-medium text-warn">{chosen.detail}</p>
      {chosen.remedy !== undefined && <p className="text-ink-2">{chosen.remedy}</p>}
      <div className="mt-2 flex flex-wrap gap-2">
        <Button onClick={() => onChange({ backend: working.name })}>Use {working.name}</Button>
        <Button onClick={() => report(settings.refetch())}>Look again</Button>
      </div>
    </section>
  );
}

/** Says that the chosen backend does not have the chosen profile, and offers what goes; nothing where it has it. */
export function ChosenProfileNotice({ draft, onChange }: DraftProps) {
  const settings = useSettings().data;
  const choice = settings && profileChoice(settings, draft);
  if (settings === undefined || choice?.lackedBy === undefined) return null;
  const { chosen, offered, lackedBy } = choice;
  const had = lackedBy.profiles.filter((name) => offered.includes(name));
  const profile = had.includes("default") ? "default" : had[0];
  const backend = settings.backends.find(({ name, profiles }) => name !== "none" && profiles.includes(chosen));
  return (
    <section
      aria-label={`${lackedBy.name} has no profile ${chosen}`}
      className="rounded-ui border border-warn bg-warn-soft p-3"
    >
      <p className="font-medium text-warn">
        Sandboxes of {lackedBy.name} do not have the profile {chosen} here.
      </p>
      <p className="text-ink-2">{lackedBy.detail}</p>
      <div className="mt-2 flex flex-wrap gap-2">
        {profile !== undefined && <Button onClick={() => onChange({ profile })}>Use the profile {profile}</Button>}
        {backend !== undefined && (
          <Button onClick={() => onChange({ backend: backend.name })}>Use {backend.name}</Button>
        )}
      </div>
    </section>
  );
}
