import { mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";

/** Files with names that programs stumble over: their name, how the API writes it, and what is in them. */
export const ODD_FILES: readonly (readonly [name: Buffer, shown: string, content: Buffer])[] = [
  [Buffer.from("<img src=x onerror=alert(1)>.txt"), "<img src=x onerror=alert(1)>.txt", Buffer.from("one\n")],
  [Buffer.from("new\nline.txt"), "new\\x0aline.txt", Buffer.from("two\n")],
  [Buffer.from("n\xff\xfe.txt", "latin1"), "n\\xff\\xfe.txt", Buffer.from("three\n")],
  [Buffer.from("crlf.txt"), "crlf.txt", Buffer.from("a\r\nb\r\n")],
  [Buffer.from("binary.bin"), "binary.bin", Buffer.from([0, 1, 2, 255, 254, 10, 0])],
];

/** Links that lead out of the folder, by name. */
export const OUTWARD = { absolute: "/etc/passwd", upward: "../../../../../../../../etc/passwd", folder: "/etc" };

/** The path of such a file, as bytes. */
export const inFolder = (folder: string, name: Buffer): Buffer => Buffer.concat([Buffer.from(`${folder}/`), name]);

/** Makes the folder with these files and links. */
export async function makeOddFolder(folder: string): Promise<void> {
  await mkdir(folder);
  for (const [name, , content] of ODD_FILES) await writeFile(inFolder(folder, name), content);
  for (const [name, target] of Object.entries(OUTWARD)) await symlink(target, path.join(folder, name));
}
