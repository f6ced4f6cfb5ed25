/**
 * Does the work for each item, one after the other, also after one of them has failed: what cannot be taken away must not
 * keep all else.
 * @throws the first failure, once all was tried
 */
export async function tryEach<Item>(items: Iterable<Item>, work: (item: Item) => Promise<unknown>): Promise<void> {
  const failures: unknown[] = [];
  for (const item of items) {
    try {
      await work(item);
    } catch (thrown) {
      failures.push(thrown);
    }
  }
  if (failures.length > 0) throw failures[0];
}
