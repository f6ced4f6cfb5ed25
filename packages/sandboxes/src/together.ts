type Work = (signal: AbortSignal) => Promise<unknown>;
type Results<Works extends readonly Work[]> = { readonly [At in keyof Works]: Awaited<ReturnType<Works[At]>> };

/**
 * Does all works at the same time and gives their results. When one fails, the signal of the others is aborted, and once
 * all have ended this fails as the first one did: nothing goes on behind the caller's back.
 */
export async function together<const Works extends readonly Work[]>(
  signal: AbortSignal,
  works: Works,
): Promise<Results<Works>> {
  const failed = new AbortController();
  const all = AbortSignal.any([signal, failed.signal]);
  const results = await Promise.allSettled(
    works.map(async (work) => {
      try {
        return await work(all);
      } catch (thrown) {
        failed.abort(thrown);
        throw thrown;
      }
    }),
  );
  if (failed.signal.aborted) throw failed.signal.reason;
  return results.map((result) => (result.status === "fulfilled" ? result.value : undefined)) as Results<Works>;
}
