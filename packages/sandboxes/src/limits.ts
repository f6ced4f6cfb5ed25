/** What one sandbox may use at most. */
export type SandboxLimits = {
  /** Where memory is limited for each process, less than 512 MiB is too little for sandboxd itself. */
  readonly memoryBytes: number;
  /** Processor cores, fractions allowed. A machine with fewer gives what it has. */
  readonly cpus: number;
  /** Processes and threads together. */
  readonly processes: number;
  /** Of /tmp, which is in memory and counts as memory. */
  readonly tmpBytes: number;
  /** A daemon that may not raise its own limit (4,096 is usual for a user) refuses more than that. */
  readonly openFiles: number;
  /** Of one file. */
  readonly fileBytes: number;
  /** Of workspace and home together, where the backend can hold it: its health says where it cannot. */
  readonly diskBytes: number;
};

const GIB = 1024 ** 3;

export const DEFAULT_LIMITS: SandboxLimits = {
  memoryBytes: 4 * GIB,
  cpus: 2,
  processes: 512,
  tmpBytes: GIB,
  openFiles: 16_384,
  fileBytes: 16 * GIB,
  diskBytes: 10 * GIB,
};
