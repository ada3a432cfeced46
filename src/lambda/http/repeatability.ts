import type { IdempotencyError } from "../../core/errors.ts";
import type { HttpRequest } from "./event.ts";

/** What OASIS Repeatable Requests (3.2.1) has a server say: one execution, or none, is what its state reflects. */
type Result = "accepted" | "rejected";

/** The header that a request is owed which carries `Repeatability-First-Sent`; none where there is nothing true to say. */
export function repeatability(request: HttpRequest, result: Result | undefined): Readonly<Record<string, string>> {
  return result !== undefined && request.headers.has("repeatability-first-sent")
    ? { "Repeatability-Result": result }
    : {};
}

/** `undefined`: the function ran, and nobody can say that the operation was carried out once, or not at all. */
export function repeatabilityOf(error: IdempotencyError): Result | undefined {
  switch (error.code) {
    case "result_unstorable":
      return error.carriedOut ? "accepted" : "rejected";
    case "store_failed":
      return error.outcome === "unknown" ? undefined : "rejected";
    case "claim_lost":
    case "write_conflict":
    case "step_interrupted":
    case "outcome_unknown":
      return undefined;
    default:
      return "rejected";
  }
}
