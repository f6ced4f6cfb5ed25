import { logStoreContract } from "./log-store-contract.ts";
import { memoryLogStore } from "./memory-log-store.ts";

logStoreContract("memory", { open: async () => memoryLogStore() });
