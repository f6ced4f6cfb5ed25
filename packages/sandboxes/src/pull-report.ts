/** One line of a pull or an import. Bytes are of the layer `id`. */
export type Progress = {
  readonly id: string;
  readonly status: string;
  readonly current: number;
  readonly total: number;
};

const MEGABYTE = 1_000_000;

/** Turns the lines of a pull into sentences, one for each further megabyte: "Pulling image node:24, 41 of 96 MB." */
export function pullReport(reference: string, onProgress: (text: string) => void): (line: Progress) => void {
  const layers = new Map<string, { readonly current: number; readonly total: number }>();
  let last = "";
  return (line) => {
    // Extraction counts the same bytes again.
    if (line.status === "Downloading" && line.total > 0) layers.set(line.id, line);
    const known = layers.get(line.id);
    if (known !== undefined && line.status === "Download complete")
      layers.set(line.id, { ...known, current: known.total });
    if (layers.size === 0) return;
    const text = `Pulling image ${reference}, ${sum(layers, "current")} of ${sum(layers, "total")} MB.`;
    if (text !== last) onProgress(text);
    last = text;
  };
}

function sum(layers: ReadonlyMap<string, Readonly<Record<"current" | "total", number>>>, field: "current" | "total") {
  return Math.round([...layers.values()].reduce((total, layer) => total + layer[field], 0) / MEGABYTE);
}
