import { Button } from "../components/button.tsx";
import { useSettings } from "../state/session-queries.ts";
import { report } from "../state/toasts.ts";

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
