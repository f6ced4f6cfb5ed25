import type { BooksAdmin } from "@handrail/protocol/books-admin";
import type { DeploymentInfo, DeploymentInput } from "@handrail/protocol/gateway";
import type { ModelTest } from "@handrail/protocol/settings";
import type { z } from "zod";

/** The model gateway as the page and the terminal run it. @throws AppError `books_unavailable` from all but models */
export type GatewayAdmin = BooksAdmin & {
  readonly models: {
    list(): Promise<readonly DeploymentInfo[]>;
    add(input: DeploymentInput): Promise<DeploymentInfo>;
    /** @throws AppError `not_found`; `forbidden` for what the configuration defines; `bad_request` when the key must be entered anew */
    change(id: string, input: DeploymentInput): Promise<DeploymentInfo>;
    /** @throws AppError `not_found`, `forbidden` */
    remove(id: string): Promise<void>;
    /** @throws AppError `not_found` */
    test(id: string, signal: AbortSignal): Promise<z.infer<typeof ModelTest>>;
  };
};
