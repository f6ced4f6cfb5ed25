/** A container or volume of a list. `state` is empty for volumes; `createdAtMs` is Unix time by the daemon's clock. */
export type Listed = {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly createdAtMs: number;
  readonly labels: Readonly<Record<string, string>>;
};
