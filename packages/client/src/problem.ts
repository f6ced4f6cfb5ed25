import { AppError, isErrorCode } from "@handrail/protocol/errors";
import { Problem } from "@handrail/protocol/route";

/**
 * The error that a failed answer stands for. A code that this program does not know, or an answer that is no problem
 * document (a proxy's page), becomes `internal`; `details.status` then holds the HTTP status.
 */
export async function problemOf(response: Response): Promise<AppError> {
  const problem = Problem.safeParse(await response.json().catch(() => null));
  if (!problem.success) {
    const message = `The server answered ${response.status} without saying why. Its log may tell more.`;
    return new AppError("internal", message, { status: response.status });
  }
  const { code, detail, details } = problem.data;
  if (isErrorCode(code)) return new AppError(code, detail, details);
  return new AppError("internal", detail, { ...details, status: response.status, code });
}
