/**
 * Every failure a caller can meet, with the HTTP status it travels under (RFC 9110 §15) and whether
 * the same request may succeed if repeated. Adding a failure means adding a row here, nowhere else.
 */
export const ERRORS = {
  bad_request: { status: 400, retryable: false },
  body_too_large: { status: 413, retryable: false },
  not_signed_in: { status: 401, retryable: false },
  token_used: { status: 401, retryable: false },
  forbidden: { status: 403, retryable: false },
  too_many_attempts: { status: 429, retryable: true },
  bad_origin: { status: 403, retryable: false },
  not_found: { status: 404, retryable: false },
  method_not_allowed: { status: 405, retryable: false },
  unsupported_media_type: { status: 415, retryable: false },
  conversation_not_found: { status: 404, retryable: false },
  conversation_archived: { status: 409, retryable: false },
  log_conflict: { status: 409, retryable: true },
  run_active: { status: 409, retryable: true },
  restore_active: { status: 409, retryable: true },
  run_inactive: { status: 409, retryable: false },
  limit_reached: { status: 409, retryable: false },
  storage_full: { status: 507, retryable: true },
  storage_failed: { status: 503, retryable: true },
  storage_newer: { status: 503, retryable: false },
  too_many_files: { status: 503, retryable: true },
  server_stopping: { status: 503, retryable: true },
  state_locked: { status: 409, retryable: false },
  config_invalid: { status: 400, retryable: false },
  port_taken: { status: 409, retryable: false },
  secret_unreadable: { status: 500, retryable: false },

  source_invalid: { status: 400, retryable: false },
  source_too_large: { status: 413, retryable: false },
  git_failed: { status: 502, retryable: false },
  secret_in_result: { status: 409, retryable: false },
  checkpoint_unknown: { status: 404, retryable: false },
  checkpoint_invalid: { status: 502, retryable: false },
  checkpoint_damaged: { status: 500, retryable: false },
  checkpoints_unavailable: { status: 503, retryable: true },
  nothing_changed: { status: 409, retryable: false },

  model_unset: { status: 409, retryable: false },
  model_rejected: { status: 502, retryable: false },
  model_unauthorized: { status: 502, retryable: false },
  model_unknown: { status: 502, retryable: false },
  model_overloaded: { status: 503, retryable: true },
  model_rate_limited: { status: 503, retryable: true },
  model_unreachable: { status: 503, retryable: true },
  model_stream_broken: { status: 503, retryable: true },
  model_empty: { status: 502, retryable: false },
  model_refused: { status: 502, retryable: false },
  model_timeout: { status: 504, retryable: true },
  context_overflow: { status: 502, retryable: false },

  key_missing: { status: 401, retryable: false },
  key_invalid: { status: 401, retryable: false },
  key_expired: { status: 401, retryable: false },
  key_not_found: { status: 404, retryable: false },
  model_forbidden: { status: 403, retryable: false },
  model_not_found: { status: 404, retryable: false },
  budget_exceeded: { status: 429, retryable: false },
  rate_limited: { status: 429, retryable: true },
  request_unsupported: { status: 400, retryable: false },
  redaction_failed: { status: 503, retryable: false },
  books_unavailable: { status: 503, retryable: true },

  backend_unavailable: { status: 503, retryable: true },
  image_unavailable: { status: 409, retryable: false },
  sandbox_failed: { status: 503, retryable: true },
  sandbox_gone: { status: 410, retryable: true },
  workspace_gone: { status: 410, retryable: false },
  sandboxd_mismatch: { status: 503, retryable: false },
  sandboxd_protocol: { status: 502, retryable: false },
  namespaces_forbidden: { status: 503, retryable: false },

  call_unknown: { status: 404, retryable: false },
  call_lost: { status: 410, retryable: false },
  tool_unknown: { status: 400, retryable: false },
  tool_arguments: { status: 400, retryable: false },
  path_outside: { status: 400, retryable: false },
  path_missing: { status: 404, retryable: false },
  path_not_file: { status: 400, retryable: false },
  path_denied: { status: 403, retryable: false },
  file_binary: { status: 400, retryable: false },
  file_too_large: { status: 413, retryable: false },
  answer_too_large: { status: 413, retryable: false },
  file_changed: { status: 409, retryable: false },
  file_exists: { status: 409, retryable: false },
  edit_no_match: { status: 409, retryable: false },
  edit_not_unique: { status: 409, retryable: false },
  disk_full: { status: 507, retryable: false },
  terminal_busy: { status: 409, retryable: true },
  terminal_unknown: { status: 404, retryable: false },
  terminal_failed: { status: 500, retryable: false },
  search_failed: { status: 400, retryable: false },
  port_closed: { status: 502, retryable: true },
  git_missing: { status: 501, retryable: false },
  ask_closed: { status: 409, retryable: false },
  egress_refused: { status: 403, retryable: false },

  server_unreachable: { status: 503, retryable: true },

  internal: { status: 500, retryable: false },
} as const satisfies Record<string, { status: number; retryable: boolean }>;

export type ErrorCode = keyof typeof ERRORS;
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

/** What travels of an error. `message` is for people; programs read `code` and `details`. */
export type ErrorBody = { readonly code: ErrorCode; readonly message: string; readonly details: ErrorDetails };

const TOO_MANY_FILES =
  "Too many files are open to open another one. Try again in a moment. If it stays so, end programs that hold many, or " +
  "raise the limit of open files (ulimit -n).";

/** The only error that crosses a package boundary. */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }

  /** The wire form. `cause` and `stack` stay in our logs. */
  toJSON(): ErrorBody {
    return { code: this.code, message: this.message, details: this.details };
  }
}

/**
 * Turns anything thrown into an `AppError`; what we did not foresee becomes `internal` and keeps its cause. Any call to
 * the operating system may meet the limit of open files, so that one is told here.
 */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  return (
    tooManyFiles(thrown) ?? new AppError("internal", "Something went wrong on Handrail's side.", {}, { cause: thrown })
  );
}

/** The error for what this process (EMFILE) or the machine (ENFILE, errno(3)) had no more open files for; else undefined. */
export function tooManyFiles(thrown: unknown): AppError | undefined {
  const errno = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  if (errno !== "EMFILE" && errno !== "ENFILE") return undefined;
  return new AppError("too_many_files", TOO_MANY_FILES, { errno }, { cause: thrown });
}

/** Whether `code` is a row of the table; for codes that come from outside. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}
