/**
 * Settles at the first SIGTERM or SIGINT, or when the program is gone that started this one with a channel to it, in
 * whatever way. A second of these does not wait for anything: the process ends with 1.
 */
export async function firstSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let seen = false;
  const onSignal = () => {
    if (seen) process.exit(1);
    seen = true;
    resolve(undefined);
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  if (process.connected) process.once("disconnect", onSignal);
  await promise;
}
