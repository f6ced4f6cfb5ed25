import { readdirSync, rmSync } from "node:fs";
import { AppError } from "@handrail/protocol/errors";
import type { OperationArgs, OperationResult } from "@handrail/protocol/sandboxd/operations";
import { fileError } from "../files/file-error.ts";
import { openNative } from "../snapshot/native/native.ts";
import { TarReader } from "./tar-reader.ts";
import { TreeWriter } from "./tree-writer.ts";

type Work = { readonly reader: TarReader; readonly writer: TreeWriter };

/** Fills a workspace with the files of an archive that comes in parts. What is there when the first comes goes. */
export class WorkspaceFiller {
  readonly #workspace: string;
  #work: Work | undefined;

  constructor(workspace: string) {
    this.#workspace = Buffer.from(workspace).toString("latin1");
  }

  /** @throws AppError `bad_request` for a part that is not the next one or no archive, `disk_full` */
  async take({ offset, data, last }: OperationArgs<"workspace.fill">): Promise<OperationResult<"workspace.fill">> {
    try {
      if (offset === 0) await this.#begin();
      const work = this.#work;
      if (work?.reader.size !== offset) throw new AppError("bad_request", "Send the archive's parts in order.");
      work.reader.take(data);
      if (last) this.#finish(work);
      return { size: work.reader.size };
    } catch (thrown) {
      this.#giveUp();
      throw fileError(thrown, ".");
    }
  }

  async #begin(): Promise<void> {
    this.#giveUp();
    const root = Buffer.from(this.#workspace, "latin1");
    for (const name of readdirSync(root, "buffer")) {
      rmSync(Buffer.concat([root, Buffer.from("/"), name]), { recursive: true });
    }
    const writer = new TreeWriter(this.#workspace, await openNative());
    this.#work = { writer, reader: new TarReader(writer) };
  }

  #finish({ reader, writer }: Work): void {
    reader.end();
    writer.finish();
    this.#work = undefined;
  }

  #giveUp(): void {
    this.#work?.writer.close();
    this.#work = undefined;
  }
}
