import type { HttpEvent } from "./event.ts";

/**
 * The parameters of a query, in the order of their names; those of one name stay in theirs. Where the query came as it
 * was sent, nothing is decoded: `%FF` and `%FE`, `+` and `%20` may not be the same to the handler.
 */
export function comparableQuery(event: HttpEvent): readonly (readonly string[])[] {
  const raw = event.rawQueryString;
  const byName = typeof raw === "string" && raw !== "" ? rawParameters(raw) : parameters(event);
  return [...byName].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, values]) => values);
}

/** As it was sent, by the decoded name: `a` and `%61` are one name, whose values have an order. */
function rawParameters(raw: string): ReadonlyMap<string, readonly string[]> {
  const byName = new Map<string, string[]>();
  for (const sent of raw.split("&")) {
    if (sent === "") continue;
    const [name = ""] = new URLSearchParams(sent).keys();
    byName.set(name, [...(byName.get(name) ?? []), sent]);
  }
  return byName;
}

/** A parameter may stand in both places: all values in a list, and beside it the last one. */
function parameters(event: HttpEvent): ReadonlyMap<string, readonly string[]> {
  const byName = new Map<string, string[]>();
  for (const [name, list] of Object.entries(event.multiValueQueryStringParameters ?? {})) {
    byName.set(name, [name, ...[list ?? []].flat().map(String)]);
  }
  for (const [name, value] of Object.entries(event.queryStringParameters ?? {})) {
    const [, ...values] = byName.get(name) ?? [];
    if (!values.includes(String(value ?? ""))) byName.set(name, [name, ...values, String(value ?? "")]);
  }
  return byName;
}
