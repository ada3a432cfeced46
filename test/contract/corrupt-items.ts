import type { AttributeValue, Item } from "../../src/store/attributes.ts";

/** One way in which an item can be wrong that DynamoDB itself would hold. */
export interface Corruption {
  readonly what: string;
  /** The sound item that it begins with; its lock or its retention has not ended. */
  readonly of: "completed" | "running";
  readonly corrupt: (item: Item) => Item;
  /** What the reason says; it never holds the attribute's contents. */
  readonly reason: RegExp;
}

const without =
  (name: string) =>
  ({ [name]: _, ...rest }: Item): Item =>
    rest;
const put =
  (name: string, value: AttributeValue) =>
  (item: Item): Item => ({ ...item, [name]: value });
const completed = (what: string, corrupt: Corruption["corrupt"], reason: RegExp): Corruption => ({
  what,
  of: "completed",
  corrupt,
  reason,
});
const running = (what: string, corrupt: Corruption["corrupt"], reason: RegExp): Corruption => ({
  what,
  of: "running",
  corrupt,
  reason,
});

/** Every kind of corrupt item. */
export const CORRUPTIONS: readonly Corruption[] = [
  completed("a newer version", put("v", { N: "99" }), /^record version 99 is newer than 1/),
  completed("version 0", put("v", { N: "0" }), /^record version 0 is unknown$/),
  completed("no version", without("v"), /^the attribute v is missing$/),
  completed("a version that is text", put("v", { S: "1" }), /^the attribute v is not a number$/),
  completed(
    "a newer version and nothing else",
    ({ id }) => ({ id: id as AttributeValue, v: { N: "2" } }),
    /^record version 2 is newer/,
  ),
  completed("nothing but its key", ({ id }) => ({ id: id as AttributeValue }), /^the attribute v is missing$/),
  completed("no status", without("status"), /^the attribute status is missing$/),
  completed("an unknown status", put("status", { S: "DONE" }), /^the attribute status has an unknown value$/),
  completed("a status in lower case", put("status", { S: "completed" }), /^the attribute status has an unknown value$/),
  completed("a status that is a number", put("status", { N: "1" }), /^the attribute status is not a string$/),
  completed("no owner", without("owner"), /^the attribute owner is missing$/),
  completed("no attempt", without("attempt"), /^the attribute attempt is missing$/),
  completed("attempt 0", put("attempt", { N: "0" }), /^the attribute attempt is 0/),
  completed("half an attempt", put("attempt", { N: "1.5" }), /^the attribute attempt is not a safe, whole/),
  completed(
    "an unsafe attempt",
    put("attempt", { N: "9007199254740993" }),
    /^the attribute attempt is not a safe, whole/,
  ),
  completed("a negative attempt", put("attempt", { N: "-1" }), /^the attribute attempt is not a safe, whole/),
  completed("no createdAt", without("createdAt"), /^the attribute createdAt is missing$/),
  completed("no completedAt", without("completedAt"), /^the attribute completedAt is missing$/),
  completed(
    "a fingerprint that is a number",
    put("fingerprint", { N: "7" }),
    /^the attribute fingerprint is not a string$/,
  ),
  completed("no expiresAt", without("expiresAt"), /^the attribute expiresAt is missing$/),
  completed("an expiresAt that is text", put("expiresAt", { S: "1" }), /^the attribute expiresAt is not a number$/),
  completed(
    "an expiresAt in milliseconds",
    put("expiresAt", { N: "1000000090000" }),
    /^the attribute expiresAt is not in seconds/,
  ),
  completed("no encoding", without("encoding"), /^the attribute encoding is missing$/),
  completed("no result", without("result"), /^the attribute result is missing$/),
  completed(
    "a result that is a map",
    put("result", { M: { a: { S: "b" } } }),
    /^the attribute result is not a string or bytes$/,
  ),
  completed("a result that is null", put("result", { NULL: true }), /^the attribute result is not a string or bytes$/),
  running("no lockedUntil", without("lockedUntil"), /^the attribute lockedUntil is missing$/),
  running("a lockedUntil that is text", put("lockedUntil", { S: "0" }), /^the attribute lockedUntil is not a number$/),
  running(
    "a lockedUntil in seconds",
    put("lockedUntil", { N: "1000000030" }),
    /^the attribute lockedUntil is not in milliseconds/,
  ),
  running("an expiresAt that is null", put("expiresAt", { NULL: true }), /^the attribute expiresAt is not a number$/),
  running("steps that are a list", put("steps", { L: [] }), /^the attribute steps is not a map$/),
  running(
    "a step that is text",
    put("steps", { M: { charge: { S: "ch_1" } } }),
    /^the attribute steps holds a step without/,
  ),
  running(
    "a step without encoding",
    put("steps", { M: { charge: { M: {} } } }),
    /^the attribute steps holds a step without/,
  ),
  running(
    "a step whose data is a number",
    put("steps", { M: { charge: { M: { encoding: { S: "json" }, data: { N: "1" } } } } }),
    /^the attribute steps holds a step without/,
  ),
];
