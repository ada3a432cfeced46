import { json } from "../../src/codec/json.ts";
import type { Found, IdempotencyRecord } from "../../src/core/record.ts";
import type {
  CheckpointRequest,
  ClaimRequest,
  CommitRequest,
  CompleteRequest,
  ReleaseRequest,
} from "../../src/core/store.ts";
import type { Invariant } from "./invariants.ts";
import type { OperationPlan } from "./scenario.ts";
import { EPOCH } from "./world.ts";

/** One request at the store, as it was carried out in one moment. */
export interface Transition {
  readonly verb: "claim" | "complete" | "release" | "checkpoint" | "renew" | "commit" | "delete by age";
  readonly request: unknown;
  readonly before: Found;
  readonly after: Found;
  /** Whether the item was written or removed. */
  readonly changed: boolean;
  /** True time. */
  readonly now: number;
  /** What a clock may be wrong by. */
  readonly slack: number;
  readonly operation: OperationPlan;
}

type Fail = (invariant: Invariant, what: string) => void;

/** Longer than any lock or retention that is drawn. */
const HORIZON = 3 * 86_400_000;

/**
 * Whether a request was allowed to do what it did to a record, and had to do what it did not: judged from what the record
 * means and from true time, not from the store's conditions.
 */
export function judge(transition: Transition, fail: Fail): void {
  const { verb, after, changed } = transition;
  if (changed && after !== undefined) judgeTimes(after, transition, fail);
  if (!changed) return judgeRefusal(transition, fail);
  if (verb === "delete by age") return;
  if (verb === "claim") return judgeClaim(transition, transition.request as ClaimRequest, fail);
  const { record } = transition.request as CommitRequest;
  if (verb === "commit" && record?.from === "nothing") return judgeAnswer(transition, fail);
  const ownership = (verb === "commit" ? record : transition.request) as { readonly owner: string };
  judgeOwner(transition, ownership.owner, fail);
}

const expired = ({ before, now, slack }: Transition): boolean =>
  before !== undefined &&
  before.status !== "UNREADABLE" &&
  before.expiresAt !== undefined &&
  before.expiresAt * 1000 <= now + slack &&
  (before.status !== "IN_PROGRESS" || before.lockedUntil <= now + slack);

function judgeClaim(transition: Transition, request: ClaimRequest, fail: Fail): void {
  const { before, after, now, slack } = transition;
  if (after?.status !== "IN_PROGRESS" || after.owner !== request.owner)
    return fail("I3", `a claim left ${show(after)}`);
  const isUsed = before === undefined || before.status === "COMPLETED" || before.status === "FAILED";
  const isToken = transition.operation.tokens !== undefined;
  if (isToken && isUsed) return fail("I8", `a token was redeemed where there was ${show(before)}`);
  const isVacant = before === undefined || (!isToken && request.from === undefined && expired(transition));
  if (isVacant) {
    if (after.attempt !== 1 || Object.keys(after.steps).length > 0) fail("I4", `a first claim left ${show(after)}`);
    return;
  }
  if (before?.status === "UNREADABLE") return fail("I3", "a claim replaced an item that cannot be read");
  if (before.status === "COMPLETED" || before.status === "FAILED")
    return fail("I1", `a claim replaced ${show(before)}`);
  if (before.status === "IN_PROGRESS") {
    if (before.lockedUntil > now + slack)
      return fail("I3", `a claim took ${show(before)}, whose lock had ${before.lockedUntil - now} ms to go`);
    if (before.expiresAt === undefined) return fail("I3", "a claim took a record that waits for an operator");
  }
  if (after.attempt !== before.attempt + 1)
    fail("I4", `a claim made attempt ${after.attempt} of attempt ${before.attempt}`);
  const steps = before.status === "ISSUED" ? {} : before.steps;
  if (JSON.stringify(after.steps) !== JSON.stringify(steps)) fail("I7", "a takeover changed the recorded steps");
  judgeFingerprint(before, request.fingerprint, fail);
}

function judgeAnswer(transition: Transition, fail: Fail): void {
  const { before, after } = transition;
  if (before !== undefined && !expired(transition)) fail("I1", `a commit that claims nothing replaced ${show(before)}`);
  if (after?.status !== "COMPLETED" && after?.status !== "FAILED") fail("I3", `a commit left ${show(after)}`);
}

function judgeFingerprint(before: IdempotencyRecord, fingerprint: string | undefined, fail: Fail): void {
  if (before.fingerprint !== undefined && fingerprint !== undefined && before.fingerprint !== fingerprint)
    fail("I6", `a request with another fingerprint changed ${show(before)}`);
}

function judgeOwner({ verb, request, before, after, operation }: Transition, owner: string, fail: Fail): void {
  if (before?.status !== "IN_PROGRESS" || before.owner !== owner)
    return fail("I3", `a ${verb} of ${owner} changed ${show(before)}`);
  if (verb === "release") {
    if (after === undefined) return;
    if (after.status === "ISSUED" && operation.tokens) return;
    if (after.status !== "RELEASED") return fail("I3", `a release left ${show(after)}`);
    if (after.attempt !== before.attempt) fail("I4", `a release made attempt ${after.attempt} of ${before.attempt}`);
    const { forget = [] } = request as ReleaseRequest;
    const kept = Object.keys(before.steps).filter((name) => !forget.includes(name));
    if (kept.some((name) => after.steps[name] === undefined)) fail("I7", "a release lost a step");
    return;
  }
  if (after === undefined || after.status === "UNREADABLE") return fail("I3", `a ${verb} left ${show(after)}`);
  if (after.owner !== owner || after.attempt !== before.attempt)
    return fail("I3", `a ${verb} left ${show(after)} of ${show(before)}`);
  if (verb === "complete" || verb === "commit") {
    const { status } = (verb === "complete" ? request : (request as CommitRequest).record) as CompleteRequest;
    if (after.status !== status) fail("I3", `a ${verb} left ${show(after)}`);
    return;
  }
  if (after.status !== "IN_PROGRESS") return fail("I3", `a ${verb} left ${show(after)}`);
  if (verb === "renew" && after.lockedUntil < before.lockedUntil)
    fail("I4", `a renewal shortened the lock by ${before.lockedUntil - after.lockedUntil} ms`);
  const { name } = request as CheckpointRequest;
  for (const [step, value] of Object.entries(before.steps)) {
    const isMark = value.encoding === "started" && verb === "checkpoint" && step === name;
    const same = JSON.stringify(after.steps[step]) === JSON.stringify(value);
    if (!same && !isMark) fail("I7", `a ${verb} changed the recorded step ${step}`);
  }
}

/** Nothing was changed: a request that had to be granted was refused. */
function judgeRefusal({ verb, request, before }: Transition, fail: Fail): void {
  if (verb === "commit" || verb === "delete by age" || before?.status === "UNREADABLE") return;
  if (verb !== "claim") {
    const { owner, name, step } = request as CheckpointRequest;
    // A start mark that comes after what the step has recorded.
    const isLate = verb === "checkpoint" && step.encoding === "started" && Object(before).steps?.[name] !== undefined;
    const isOlder =
      verb === "renew" &&
      before?.status === "IN_PROGRESS" &&
      (request as { lockedUntil: number }).lockedUntil < before.lockedUntil;
    if (before?.status === "IN_PROGRESS" && before.owner === owner && !isLate && !isOlder)
      fail("I5", `a ${verb} of the owner was refused`);
    return;
  }
  const { from, now, issued, fingerprint } = request as ClaimRequest;
  if (before === undefined) {
    if (from === undefined && !issued) fail("I5", "a claim was refused where nothing stands");
    return;
  }
  const locked = before.status === "IN_PROGRESS" && before.lockedUntil > now;
  const gone = before.expiresAt !== undefined && before.expiresAt <= Math.floor(now / 1000) && !locked;
  if (issued && from === undefined) {
    const isToken = (before.status === "ISSUED" || before.status === "RELEASED") && !gone;
    const isSame = before.fingerprint === undefined || fingerprint === undefined || before.fingerprint === fingerprint;
    if (isToken && isSame) fail("I8", `a token was refused by ${show(before)}`);
    return;
  }
  if (from === undefined && gone) fail("I5", `a claim was refused by ${show(before)}, which has expired`);
  if (
    from !== undefined &&
    !locked &&
    before.status === from.status &&
    before.owner === from.owner &&
    before.attempt === from.attempt
  )
    fail("I5", `a claim was refused by ${show(before)}, which it had seen`);
}

function judgeTimes(after: Exclude<Found, undefined>, { now, operation }: Transition, fail: Fail): void {
  if (after.status === "UNREADABLE") return fail("I10", `an item that cannot be read: ${after.reason}`);
  const wrong = (name: string, value: number): void => fail("I10", `${name} is ${value}, at ${now}`);
  const isMillis = (value: number): boolean =>
    Number.isInteger(value) && value > EPOCH - HORIZON && value < EPOCH + HORIZON;
  const isSeconds = (value: number): boolean => isMillis(value * 1000) && Number.isInteger(value);
  if (!isMillis(after.createdAt)) wrong("createdAt", after.createdAt);
  if (after.expiresAt !== undefined && !isSeconds(after.expiresAt)) wrong("expiresAt", after.expiresAt);
  if (after.status === "IN_PROGRESS") {
    if (!isMillis(after.lockedUntil)) wrong("lockedUntil", after.lockedUntil);
    if ((after.expiresAt === undefined) !== (operation.whenAbandoned === "reject"))
      wrong("expiresAt", after.expiresAt ?? Number.NaN);
    if (after.expiresAt !== undefined && after.expiresAt * 1000 < after.lockedUntil + 60_000)
      wrong("expiresAt, less than a minute after the lock,", after.expiresAt);
  }
  if (after.status === "COMPLETED" || after.status === "FAILED") {
    if (!isMillis(after.completedAt)) wrong("completedAt", after.completedAt);
    if (after.expiresAt !== Math.ceil((after.completedAt + operation.retention) / 1000))
      wrong("expiresAt of an answer", after.expiresAt);
  }
}

const codec = json();

/** What a finished record answers. */
export const answerIn = (record: Extract<Found, { readonly result: unknown }>): unknown =>
  record.result.encoding === "unstorable" ? "unstorable" : codec.decode(record.result, { id: record.id });

export function show(found: Found): string {
  if (found === undefined) return "nothing";
  if (found.status === "UNREADABLE") return "an unreadable item";
  const lock = found.status === "IN_PROGRESS" ? `, locked until ${found.lockedUntil - EPOCH}` : "";
  const expiry = found.expiresAt === undefined ? "never expires" : `expires at ${found.expiresAt * 1000 - EPOCH}`;
  return `${found.status} of ${found.owner}, attempt ${found.attempt}${lock}, ${expiry}`;
}
