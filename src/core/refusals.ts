import { IdempotencyErrorBase } from "./error-base.ts";

/** The key is missing, in whole or in part, or could not be read from the input. Nothing ran. */
export class IdempotencyKeyMissingError extends IdempotencyErrorBase {
  override readonly name = "IdempotencyKeyMissingError";
  readonly code = "key_missing";
  readonly statusCode = 400;
  declare readonly reason: "missing" | "unreadable";

  constructor({ reason, detail, cause }: { reason: "missing" | "unreadable"; detail: string; cause?: unknown }) {
    super(`the idempotency key ${reason === "missing" ? "is missing" : "cannot be read"}: ${detail}`, {
      cause,
      facts: { reason },
    });
  }
}

/** The operation keeps keys apart by principal, and the input names none. Nothing ran. */
export class IdempotencyPrincipalMissingError extends IdempotencyErrorBase {
  override readonly name = "IdempotencyPrincipalMissingError";
  readonly code = "principal_missing";
  readonly statusCode = 401;

  constructor({ detail, cause }: { detail: string; cause?: unknown }) {
    super(`the principal of the idempotency key is missing: ${detail}`, { cause });
  }
}

/** The binding's `authorize` says that the caller may not do this now. Nothing ran, and nothing was replayed. */
export class IdempotencyForbiddenError extends IdempotencyErrorBase {
  override readonly name = "IdempotencyForbiddenError";
  readonly code = "forbidden";
  readonly statusCode = 403;

  constructor() {
    super("the caller may not do this");
  }
}

/** The client sent the operation for the first time so long ago that its record may be gone. Nothing ran. */
export class IdempotencyRequestTooOldError extends IdempotencyErrorBase {
  override readonly name = "IdempotencyRequestTooOldError";
  readonly code = "request_too_old";
  readonly statusCode = 412;

  constructor({ retention }: { retention: number }) {
    super(
      `the request was first sent more than ${Math.floor(retention / 1000)} s ago, and the outcome of an operation is not kept longer; find out what became of it before sending it anew`,
    );
  }
}

/** What is wrong with a signature, for its operator: a stranger is told only that it does not hold. */
export type SignatureFault = "missing" | "malformed" | "mismatch" | "too_old" | "too_new";

/** The request is not signed by one of the secrets, or not at this time. Nothing ran, and nothing was written. */
export class IdempotencySignatureError extends IdempotencyErrorBase {
  override readonly name = "IdempotencySignatureError";
  readonly code = "signature_invalid";
  readonly statusCode = 401;
  declare readonly reason: SignatureFault;
  /** What is wrong, without any value of the request. */
  declare readonly detail: string;

  constructor({ reason, detail }: { reason: SignatureFault; detail: string }) {
    super("the request does not carry a valid signature", { facts: { reason, detail } });
  }
}

/** The one-time token is not one of this operation and caller, or it has ended. Nothing ran. */
export class IdempotencyTokenError extends IdempotencyErrorBase {
  override readonly name = "IdempotencyTokenError";
  readonly code = "token_invalid";
  readonly statusCode = 403;
  /** `'foreign'`: malformed, forged, another caller's or another operation's: these are not told apart. `'ended'`: it was one of theirs. */
  declare readonly reason: "foreign" | "ended";

  constructor({ reason }: { reason: "foreign" | "ended" }) {
    super(reason === "foreign" ? "the token is not valid for this" : "the token has ended; ask for a new one", {
      facts: { reason },
    });
  }
}

/** The operation changes a version that was read before, and the request does not say which. Nothing ran. */
export class IdempotencyPreconditionRequiredError extends IdempotencyErrorBase {
  override readonly name = "IdempotencyPreconditionRequiredError";
  readonly code = "precondition_required";
  readonly statusCode = 428;

  constructor() {
    super("the header If-Match is missing; it has to name the version that was read");
  }
}
