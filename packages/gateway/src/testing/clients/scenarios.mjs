// What the drivers of the clients share. Without dependencies.

/** A PNG of one red dot. */
export const IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";

export const WEATHER_PARAMETERS = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};

/** Plays every scenario against every upstream, and prints what came of it. A failure is a result too. */
export async function runScenarios(upstreams, scenarios) {
  const results = {};
  for (const upstream of upstreams) {
    const model = (script) => `${upstream.name}/${script}`;
    const entries = Object.entries(scenarios).map(async ([name, play]) => [name, await outcome(play(model, upstream))]);
    results[upstream.name] = Object.fromEntries(await Promise.all(entries));
  }
  process.stdout.write(JSON.stringify(results));
}

async function outcome(playing) {
  try {
    return await playing;
  } catch (thrown) {
    return `failed: ${thrown?.constructor?.name} ${String(thrown?.message).slice(0, 500)}`;
  }
}
