import { BackendNotice } from "./backend-notice.tsx";
import { DemoOffer } from "./demo-offer.tsx";
import { ModelForm } from "./model-form.tsx";

/** No model is set yet: says so, and offers to set one or to run the demo. */
export function FirstRun() {
  return (
    <div className="h-full overflow-auto">
      <div className="mx-auto flex max-w-2xl flex-col gap-6 p-6 max-md:p-4">
        <header>
          <h1 className="text-title font-semibold">No model is set</h1>
          <p className="mt-1 text-prose text-ink-2">
            The agent needs a language model. Give Handrail the address and the key of one, or run the demo, which needs
            neither.
          </p>
        </header>
        <BackendNotice />
        <DemoOffer />
        <section aria-labelledby="model-form" className="rounded-ui border border-line bg-raised p-4">
          <h2 id="model-form" className="mb-3 font-semibold">
            Use your own model
          </h2>
          <ModelForm />
        </section>
      </div>
    </div>
  );
}
