import { admissionContract } from "./books-admission-contract.ts";
import { keysContract } from "./books-keys-contract.ts";
import type { BooksOpener } from "./books-opener.ts";
import { settlementContract } from "./books-settlement-contract.ts";
import { spendContract } from "./books-spend-contract.ts";
import { topUpContract } from "./books-topup-contract.ts";

/** What all `Books` must do. Each implementation's test file calls this once. */
export function booksContract(name: string, opener: BooksOpener): void {
  admissionContract(name, opener);
  topUpContract(name, opener);
  settlementContract(name, opener);
  spendContract(name, opener);
  keysContract(name, opener);
}
