import { type IdempotencyRecord, RECORD_VERSION, STARTED } from "../core/record.ts";
import type {
  CheckpointRequest,
  ClaimedFrom,
  ClaimRequest,
  CommitRecord,
  CompleteRequest,
  ReleaseRequest,
  RenewRequest,
} from "../core/store.ts";
import { type EpochMillis, type EpochSeconds, floorSeconds } from "../core/time.ts";
import { type Item, number, text } from "./attributes.ts";
import { answered } from "./claimed.ts";
import { resultToItem, stepToAttribute, toItem } from "./item.ts";
import { EVIDENT_UNIT } from "./reader.ts";
import type { Operations, TransactItem } from "./transport.ts";

type Input<O extends keyof Operations> = Operations[O]["input"];

const names = <const N extends string>(...attributes: readonly N[]): Readonly<Record<string, string>> =>
  Object.fromEntries(attributes.map((name) => [`#${name}`, name]));

const VACANT = {
  ConditionExpression:
    "attribute_not_exists(#id) OR (#expiresAt <= :s AND (attribute_not_exists(#lockedUntil) OR #lockedUntil <= :ms))",
  ExpressionAttributeNames: names("id", "expiresAt", "lockedUntil"),
};

const SUCCESSION_NAMES = names("status", "owner", "attempt", "lockedUntil", "expiresAt", "fingerprint", "steps");
const SEEN = "#status = :seenStatus AND #owner = :seen AND #attempt = :seenAttempt";
const SEEN_CONDITION = { IN_PROGRESS: `${SEEN} AND #lockedUntil <= :ms`, RELEASED: SEEN, ISSUED: SEEN } as const;
const REDEMPTION_NAMES = { ...SUCCESSION_NAMES, ...names("v", "createdAt") };
/** What is redeemed is overwritten before anybody has read it: an item that cannot be read is left as it is. */
const REDEEMABLE =
  "#status IN (:issued, :released) AND #expiresAt > :s AND #expiresAt <= :most AND #v = :v AND #attempt >= :zero AND #createdAt >= :zero AND attribute_type(#owner, :S)";

/** The steps are kept; where an item lacks them, a later checkpoint finds a map. */
const succession = (expires: boolean, fingerprint: boolean): string => {
  const set =
    "SET #status = :running, #owner = :me, #attempt = #attempt + :one, #lockedUntil = :until, #steps = if_not_exists(#steps, :none)";
  const given = [expires ? ", #expiresAt = :expires" : "", fingerprint ? ", #fingerprint = :fingerprint" : ""].join("");
  const removed = [...(expires ? [] : ["#expiresAt"]), ...(fingerprint ? [] : ["#fingerprint"])].join(", ");
  return `${set}${given}${removed && ` REMOVE ${removed}`}`;
};
const SUCCESSION = {
  expiring: { fingerprinted: succession(true, true), plain: succession(true, false) },
  forEver: { fingerprinted: succession(false, true), plain: succession(false, false) },
} as const;

const HELD = "#owner = :me AND #status = :running";
const COMPLETION_NAMES = names(
  "owner",
  "status",
  "result",
  "encoding",
  "completedAt",
  "expiresAt",
  "lockedUntil",
  "steps",
);
const COMPLETION_SET = "SET #status = :status, #encoding = :encoding, #completedAt = :at, #expiresAt = :expires";
const COMPLETION = {
  withData: `${COMPLETION_SET}, #result = :result REMOVE #lockedUntil, #steps`,
  withoutData: `${COMPLETION_SET} REMOVE #lockedUntil, #steps, #result`,
} as const;
const RELEASE_NAMES = names("owner", "status", "expiresAt", "lockedUntil");
const REMOVAL_NAMES = names("owner", "status");
const STEP_NAMES = names("owner", "status", "steps");
const RENEW_FOR_EVER_NAMES = names("owner", "status", "lockedUntil");

const onConflict = { ReturnValuesOnConditionCheckFailure: "ALL_OLD" } as const;
const running = text("IN_PROGRESS");
const keyOf = (id: string): Item => ({ id: text(id) });

/** Puts a record where nothing live stands: a claim on a vacant key, or the answer that is claim and result in one. */
export function claimVacant(TableName: string, now: EpochMillis, record: IdempotencyRecord): Input<"PutItem"> {
  return {
    TableName,
    ...VACANT,
    ...onConflict,
    Item: toItem(record),
    ExpressionAttributeValues: { ":s": number(floorSeconds(now)), ":ms": number(now) },
  };
}

/** The claim of a record that stands: what a request does not give is removed, and nothing is created. */
function claimStanding(
  TableName: string,
  { id, owner, lockedUntil, expiresAt, fingerprint }: ClaimRequest,
  ConditionExpression: string,
  ExpressionAttributeNames: Readonly<Record<string, string>>,
  values: Item,
): Input<"UpdateItem"> {
  const updates = expiresAt === undefined ? SUCCESSION.forEver : SUCCESSION.expiring;
  return {
    TableName,
    Key: keyOf(id),
    UpdateExpression: fingerprint === undefined ? updates.plain : updates.fingerprinted,
    ConditionExpression,
    ExpressionAttributeNames,
    ExpressionAttributeValues: {
      ":running": running,
      ":me": text(owner),
      ":one": number(1),
      ":until": number(lockedUntil),
      ":none": { M: {} },
      ...(expiresAt !== undefined && { ":expires": number(expiresAt) }),
      ...(fingerprint !== undefined && { ":fingerprint": text(fingerprint) }),
      ...values,
    },
    ...onConflict,
    ReturnValues: "ALL_NEW",
  };
}

/** Claims a key from the record that was seen. */
export function claimFrom(TableName: string, request: ClaimRequest, from: ClaimedFrom): Input<"UpdateItem"> {
  return claimStanding(TableName, request, SEEN_CONDITION[from.status], SUCCESSION_NAMES, {
    ":seenStatus": text(from.status),
    ":seen": text(from.owner),
    ":seenAttempt": number(from.attempt),
    ...(from.status === "IN_PROGRESS" && { ":ms": number(request.now) }),
  });
}

/** Claims a token, whatever stands under it now: one request, which never creates a record. */
export function redeem(TableName: string, request: ClaimRequest): Input<"UpdateItem"> {
  const isSame = " AND (attribute_not_exists(#fingerprint) OR #fingerprint = :fingerprint)";
  const condition = request.fingerprint === undefined ? REDEEMABLE : REDEEMABLE + isSame;
  return claimStanding(TableName, request, condition, REDEMPTION_NAMES, {
    ":issued": text("ISSUED"),
    ":released": text("RELEASED"),
    ":s": number(floorSeconds(request.now)),
    ":most": number(EVIDENT_UNIT),
    ":v": number(RECORD_VERSION),
    ":zero": number(0),
    ":S": text("S"),
  });
}

/** Gives a token back under the claim, as if it had never been redeemed. */
export function reissue(TableName: string, { id, owner }: ReleaseRequest, until: EpochSeconds): Input<"UpdateItem"> {
  return {
    TableName,
    Key: keyOf(id),
    UpdateExpression:
      "SET #status = :issued, #expiresAt = :expires, #attempt = :zero REMOVE #lockedUntil, #steps, #fingerprint",
    ConditionExpression: HELD,
    ExpressionAttributeNames: SUCCESSION_NAMES,
    ExpressionAttributeValues: {
      ":me": text(owner),
      ":running": running,
      ":issued": text("ISSUED"),
      ":expires": number(until),
      ":zero": number(0),
    },
    ...onConflict,
  };
}

/** Writes the result under the claim. */
export function complete(TableName: string, request: CompleteRequest): Input<"UpdateItem"> {
  const { encoding, result } = resultToItem(request.result) as { encoding: Item[string]; result?: Item[string] };
  return {
    TableName,
    Key: keyOf(request.id),
    UpdateExpression: result === undefined ? COMPLETION.withoutData : COMPLETION.withData,
    ConditionExpression: HELD,
    ExpressionAttributeNames: COMPLETION_NAMES,
    ExpressionAttributeValues: {
      ":me": text(request.owner),
      ":running": running,
      ":status": text(request.status),
      ":encoding": encoding,
      ":at": number(request.completedAt),
      ":expires": number(request.expiresAt),
      ...(result !== undefined && { ":result": result }),
    },
    ...onConflict,
  };
}

/** Gives the key back under the claim, and keeps the attempt and the steps until `keepUntil`. */
export function release(TableName: string, request: ReleaseRequest, keepUntil: EpochSeconds): Input<"UpdateItem"> {
  const { id, owner, forget = [] } = request;
  const forgotten = forget.map((_, index) => `, #steps.#f${index}`).join("");
  return {
    TableName,
    Key: keyOf(id),
    UpdateExpression: `SET #status = :released, #expiresAt = :expires REMOVE #lockedUntil${forgotten}`,
    ConditionExpression: HELD,
    ExpressionAttributeNames:
      forget.length === 0
        ? RELEASE_NAMES
        : {
            ...RELEASE_NAMES,
            "#steps": "steps",
            ...Object.fromEntries(forget.map((name, index) => [`#f${index}`, name])),
          },
    ExpressionAttributeValues: {
      ":me": text(owner),
      ":running": running,
      ":released": text("RELEASED"),
      ":expires": number(keepUntil),
    },
    ...onConflict,
  };
}

/** A start mark that arrives late must not hide what the step has recorded meanwhile. */
const UNRECORDED = "(attribute_not_exists(#steps.#name) OR #steps.#name = :step)";

/** Records a step under the claim. */
export function checkpoint(TableName: string, { id, owner, name, step }: CheckpointRequest): Input<"UpdateItem"> {
  return {
    TableName,
    Key: keyOf(id),
    UpdateExpression: "SET #steps.#name = :step",
    ConditionExpression: step.encoding === STARTED ? `${HELD} AND ${UNRECORDED}` : HELD,
    ExpressionAttributeNames: { ...STEP_NAMES, "#name": name },
    ExpressionAttributeValues: { ":me": text(owner), ":running": running, ":step": stepToAttribute(step) },
    ...onConflict,
  };
}

/** Moves the lock's end under the claim. */
export function renew(TableName: string, { id, owner, lockedUntil, expiresAt }: RenewRequest): Input<"UpdateItem"> {
  return {
    TableName,
    Key: keyOf(id),
    UpdateExpression: `SET #lockedUntil = :until${expiresAt === undefined ? "" : ", #expiresAt = :expires"}`,
    ConditionExpression: `${HELD} AND #lockedUntil <= :until`,
    ExpressionAttributeNames: expiresAt === undefined ? RENEW_FOR_EVER_NAMES : RELEASE_NAMES,
    ExpressionAttributeValues: {
      ":me": text(owner),
      ":running": running,
      ":until": number(lockedUntil),
      ...(expiresAt !== undefined && { ":expires": number(expiresAt) }),
    },
    ...onConflict,
  };
}

/** The record's own part of a commit, first in its transaction. */
export function commitRecord(TableName: string, record: CommitRecord): TransactItem {
  if (record.from === "claim") return { Update: complete(TableName, record) };
  return { Put: claimVacant(TableName, record.now, answered(record)) };
}

/** Deletes the record under the claim. */
export function remove(TableName: string, { id, owner }: ReleaseRequest): Input<"DeleteItem"> {
  return {
    TableName,
    Key: keyOf(id),
    ConditionExpression: HELD,
    ExpressionAttributeNames: REMOVAL_NAMES,
    ExpressionAttributeValues: { ":me": text(owner), ":running": running },
    ...onConflict,
  };
}

/** Reads the record. */
export function read(TableName: string, id: string, consistent: boolean): Input<"GetItem"> {
  return { TableName, Key: keyOf(id), ConsistentRead: consistent };
}
