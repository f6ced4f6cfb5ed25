import type {
  GatewayCall,
  KeyChange,
  KeyImport,
  KeyImported,
  KeyInfo,
  KeyInput,
  KeyLimits,
  OwnerInfo,
  SpendFilter,
  SpendGroup,
  SpendRow,
} from "./gateway.ts";

/** A key that was just made, and what lists show of it. */
export type MadeKey = { readonly key: string; readonly info: KeyInfo };
export type OwnerName = Pick<OwnerInfo, "kind" | "id">;

/** Keys, limits and spend as people and programs manage them. @throws AppError `books_unavailable` */
export type BooksAdmin = {
  readonly keys: {
    list(): Promise<readonly KeyInfo[]>;
    create(userId: string, input: KeyInput): Promise<MadeKey>;
    /** @throws AppError `key_not_found` */
    change(id: string, change: KeyChange): Promise<KeyInfo>;
    /** The old one goes on for `keepOldForMs`. @throws AppError `key_not_found` */
    rotate(id: string, keepOldForMs: number): Promise<MadeKey>;
    /** @throws AppError `key_not_found` */
    revoke(id: string): Promise<KeyInfo>;
    /** From a LiteLLM. @throws AppError `config_invalid` when it cannot be read */
    import(source: KeyImport): Promise<Readonly<KeyImported>>;
  };
  readonly owners: {
    list(): Promise<readonly OwnerInfo[]>;
    save(owner: OwnerName, setting: { readonly name: string; readonly limits: KeyLimits }): Promise<OwnerInfo>;
  };
  readonly spend: {
    sums(by: SpendGroup, filter: SpendFilter): Promise<readonly SpendRow[]>;
    calls(
      filter: SpendFilter,
      page: { readonly limit: number; readonly before?: string },
    ): Promise<readonly GatewayCall[]>;
  };
};
