import { unreadable } from "../../key/refusal.ts";
import { type HttpRequest, headerOf } from "./event.ts";

const imfFixdate =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * OASIS Repeatable Requests: when the client sent the operation for the first time.
 *
 * @throws IdempotencyKeyMissingError (400) for what is no date, the 31st of February for one
 */
export function firstSentAt(request: HttpRequest): number | undefined {
  const sent = headerOf(request, "repeatability-first-sent");
  if (sent === undefined) return undefined;
  const at = imfFixdate.test(sent) ? Date.parse(sent) : Number.NaN;
  // A day that a month does not have is read as one of the next. The weekday says nothing more.
  if (Number.isNaN(at) || new Date(at).toUTCString().slice(5) !== sent.slice(5)) {
    throw unreadable("key", "the header Repeatability-First-Sent is no date, as in 'Sun, 06 Nov 1994 08:49:37 GMT'");
  }
  return at;
}
