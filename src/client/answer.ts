/** Whether the server answered from its record: the operation was carried out by an earlier request. */
export function isReplay(response: Response): boolean {
  return response.headers.get("Idempotent-Replayed") === "true";
}

/**
 * Whether the same request may be answered differently in a moment: 408, 425, 429, 5xx but 501 and 505, and a 409 that
 * says "the first one still runs" by the `type` of its problem (RFC 9457), whose last part is the code. A 409 without a
 * type does by a `Retry-After`, as the errors of this library have that are worth a repetition. Never a replay: the
 * stored answer stays what it is. Reads a body only of a 409 in JSON, and leaves the response's own body unread.
 */
export async function isTransient(response: Response): Promise<boolean> {
  if (isReplay(response)) return false;
  if (response.status !== 409) return /408|425|429|5(?!01|05)../.test(`${response.status}`);
  let type: unknown;
  if (/json/i.test(`${response.headers.get("Content-Type")}`)) {
    const text = await response.clone().text();
    try {
      type = JSON.parse(text)?.type;
    } catch {
      // No JSON has no type.
    }
  }
  return type && typeof type === "string"
    ? /(^|[/#:=])(in.progress|claim.lost)\/?$/i.test(type)
    : response.headers.has("Retry-After");
}

/** The milliseconds that `Retry-After` asks for: seconds, or a date by the server's own clock where that is to be seen. */
export function retryAfter({ headers }: Response, now: number): number {
  const given = headers.get("Retry-After") as string;
  return Math.max(0, +given * 1000 || Date.parse(given) - (Date.parse(headers.get("Date") as string) || now)) || 0;
}
