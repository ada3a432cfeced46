import { asStoreError, within } from "./bounded.ts";
import { type Claim, holdClaim } from "./claim.ts";
import { answerIn, type Concluded, conclude, inProgress } from "./conclude.ts";
import { type Decision, decide, isLiveClaimOf } from "./decide.ts";
import { backoff, type Engine, tell } from "./engine.ts";
import { IdempotencyNoTimeLeftError } from "./errors.ts";
import { type Lease, leaseFor } from "./lease.ts";
import type { Found, InProgressRecord } from "./record.ts";
import { IdempotencyTokenError } from "./refusals.ts";
import type { ClaimedFrom, ClaimRequest } from "./store.ts";
import { type EpochSeconds, nowOf } from "./time.ts";
import { MOST_READS, type Waiting, waitFor, waitForEnd } from "./wait.ts";
import { withoutTables } from "./writing.ts";

/** What a request's record is found by and compared with. */
type Identity = Pick<BeginRequest, "id" | "fingerprint">;

/** What a request asks for, computed from the event before any user code ran. */
export interface BeginRequest {
  readonly id: string;
  readonly fingerprint: string | undefined;
  /** What the caller has left to run, in milliseconds; `undefined` where nobody knows. */
  readonly remaining: number | undefined;
  /** The request is probably a repetition: look before claiming. A failed conditional write costs more than a read. */
  readonly lookFirst: boolean;
  /** The most that the caller's way in waits for an answer, in milliseconds (API Gateway: 29 s); `undefined`: unknown. */
  readonly answerWithin?: number | undefined;
  /** The key is a one-time token that ends then: only its record is claimed, and none is created. */
  readonly issuedUntil?: EpochSeconds | undefined;
  /** The wait for the call that holds the key, where it has begun. */
  readonly waiting?: Waiting;
}

/** How a request goes on: run the function under the claim, answer from the record, or refuse. */
export type Begun = { readonly status: "claimed"; readonly claim: Claim } | Concluded;

/** How often a record may change under our hands, or be busy, before it counts as in progress. */
const MOST_ROUNDS = 3;

/**
 * Claims the key, or says why not. The one way into an execution: whatever fails in here, the function
 * does not run. Costs one request where nothing or a finished record stands, one more for a takeover.
 *
 * `previous` are the same request hashed with secrets that were current before: a live record under one of
 * their ids is the operation's record. It is looked for *after* the claim and consistently, so that of two
 * processes that disagree about the current secret at least one sees the other's claim. A call under one of them is not
 * waited for.
 */
export async function begin(
  engine: Engine,
  request: BeginRequest,
  previous: readonly BeginRequest[] = [],
): Promise<Begun> {
  const lease = leaseFor(engine, request.remaining, request.issuedUntil);
  if (request.issuedUntil !== undefined) return redeem(engine, [request, ...previous], lease);
  const begun = await tryToBegin(engine, request, lease, previous.length > 0);
  // What stands in the way may be of a replay under a previous id that died before it gave this one back.
  const isLeft = begun.status === "refused" && /^(abandoned|in_progress)$/.test(begun.error.code);
  if (begun.status !== "claimed" && !isLeft) return report(engine, request, begun);
  for (const older of previous) {
    const standing = await standingUnder(engine, older, lease, begun.status === "claimed");
    if (begun.status !== "claimed") {
      if (standing?.status === "replayed") return report(engine, older, standing);
    } else if (standing !== undefined) {
      // Given back only now: an answer from the older record must not leave both ids free for a moment.
      await begun.claim.cancel();
      return report(engine, older, await inTime(engine, older, lease, standing));
    }
  }
  return report(engine, request, await inTime(engine, request, lease, begun));
}

/** The milliseconds for a look that something else is done without: a hanging one leaves time for that. */
const shortOf = (lease: Lease): number => Math.min(1_000, lease.left() / 4);

/** What a claim was followed by may have taken the caller's time: nothing runs then. */
async function inTime(engine: Engine, request: BeginRequest, lease: Lease, begun: Begun): Promise<Begun> {
  if (begun.status !== "claimed" || begun.claim.remainingTimeInMillis() > 0) return begun;
  await begun.claim.cancel();
  return noTimeLeft(engine, request, lease);
}

/** Claims a token under the id that it was issued under. */
async function redeem(engine: Engine, requests: readonly BeginRequest[], lease: Lease): Promise<Begun> {
  let begun: Begun | undefined;
  for (const request of requests) {
    begun = await tryToBegin(engine, request, lease, false);
    if (begun.status !== "refused" || begun.error.code !== "token_invalid") return report(engine, request, begun);
  }
  return report(engine, requests[0] as BeginRequest, begun as Begun);
}

/** How the request goes on by the live record under a previous id; `undefined` where there is none. Never creates one. */
async function standingUnder(
  engine: Engine,
  older: BeginRequest,
  lease: Lease,
  mayClaim: boolean,
): Promise<Begun | undefined> {
  const now = nowOf(engine.store.clock);
  let found: Found;
  try {
    // A refusal that is known does not wait for it.
    const patience = mayClaim ? lease.left() : shortOf(lease);
    found = await within(engine.runtime, patience, () => engine.store.read(older.id, { consistent: true }));
  } catch (error) {
    return { status: "refused", error: asStoreError(error) };
  }
  const decision = decide(found, older.fingerprint, now, engine.policies);
  switch (decision.do) {
    case "create":
      return undefined;
    case "succeed":
      return mayClaim ? claimKey(engine, older, lease, decision.from, false) : undefined;
    case "yield":
      return inProgress(decision.lockEndsIn);
    default:
      return conclude(engine, older.id, decision);
  }
}

function report<B extends Begun>(engine: Engine, { id }: Identity, begun: B): B {
  if (begun.status === "claimed") {
    tell(engine, id, { type: "claimed", attempt: begun.claim.attempt, takeover: begun.claim.attempt > 1 });
  } else if (begun.status === "refused") {
    tell(engine, id, { type: "refused", code: begun.error.code, error: begun.error });
  } else {
    tell(engine, id, { type: "replayed", attempt: begun.attempt });
  }
  return begun;
}

async function tryToBegin(engine: Engine, request: BeginRequest, lease: Lease, hasPrevious: boolean): Promise<Begun> {
  if (lease.budget <= 0) return noTimeLeft(engine, request, lease);
  // While secrets are rotated two ids stand for one key: only a claim that comes before the look at the other one excludes.
  const atCommit = engine.claimAt === "commit" && !hasPrevious;
  if (request.lookFirst) {
    const seen = await lookAt(engine, request, atCommit ? lease.left() : shortOf(lease));
    if (seen !== undefined) return seen;
  }
  return atCommit ? claimAtCommit(engine, request, lease) : await claimKey(engine, request, lease);
}

/** Nothing is asked of the store: the record that the commit writes is claim and answer in one. */
function claimAtCommit(engine: Engine, { id, fingerprint }: BeginRequest, lease: Lease): Begun {
  if (engine.store.commit === undefined) return { status: "refused", error: withoutTables("claimAt: 'commit'") };
  const now = nowOf(engine.store.clock);
  const record: InProgressRecord = {
    id,
    status: "IN_PROGRESS",
    owner: engine.runtime.uniqueId(),
    attempt: 1,
    createdAt: now,
    fingerprint,
    steps: {},
    ...lease.times(now),
  };
  return { status: "claimed", claim: holdClaim(engine, record, lease, true) };
}

/** The call that holds the key, which is not `owner`, is waited for, where the operation waits; then the record says how to go on. */
async function waitOr(
  engine: Engine,
  request: BeginRequest,
  lease: Lease,
  running: Extract<Decision, { do: "yield" }>,
  owner: string,
): Promise<Begun> {
  const { remaining } = request;
  const waiting = request.waiting ?? waitFor(engine, request, lease);
  if (waiting.left() <= 0 || waiting.reads >= MOST_READS) return inProgress(running.lockEndsIn);
  const decision = await waitForEnd(engine, request, { waiting, owner }, running);
  switch (decision.do) {
    case "yield":
      return inProgress(decision.lockEndsIn);
    case "fail":
      return { status: "refused", error: decision.error };
    case "own":
      return start(engine, request, lease, decision.record);
    case "create":
    case "succeed": {
      // What the function itself may need is not known: after a wait it has what is left.
      const time = remaining === undefined ? undefined : remaining - lease.elapsed();
      const waited = { ...request, remaining: time, waiting };
      const anew = leaseFor(engine, time, request.issuedUntil);
      if (anew.budget <= 0) return noTimeLeft(engine, waited, anew);
      return claimKey(engine, waited, anew, decision.do === "succeed" ? decision.from : undefined);
    }
    default:
      return conclude(engine, request.id, decision);
  }
}

/** Claims the key, beginning with the record `seen`; without `creates` only that is succeeded, or what has become of it answers. */
async function claimKey(
  engine: Engine,
  request: BeginRequest,
  lease: Lease,
  seen?: ClaimedFrom,
  creates = true,
): Promise<Begun> {
  const { store, runtime } = engine;
  const { id, fingerprint } = request;
  const owner = runtime.uniqueId();
  let from = seen;

  for (let round = 0; round < MOST_ROUNDS; round++) {
    const now = nowOf(store.clock);
    const issued = lease.issuedUntil !== undefined;
    const claim = {
      id,
      owner,
      now,
      fingerprint,
      ...lease.times(now),
      ...(issued && { issued }),
      ...(from && { from }),
    };
    let answer: Awaited<ReturnType<typeof store.claim>>;
    try {
      answer = await within(runtime, lease.left(), () => store.claim(claim));
    } catch (error) {
      await giveBack(engine, lease, claim);
      return { status: "refused", error: asStoreError(error) };
    }
    if (answer.outcome === "claimed") return await start(engine, request, lease, answer.record);
    if (answer.outcome === "busy") {
      await backoff(runtime, round);
      continue;
    }
    // The response of our own claim was lost and a retry below us met its own work.
    if (isLiveClaimOf(answer.found, owner, now)) return start(engine, request, lease, answer.found);

    const decision = decide(answer.found, fingerprint, now, engine.policies);
    if (decision.do === "yield") {
      return creates ? waitOr(engine, request, lease, decision, owner) : inProgress(decision.lockEndsIn);
    }
    if (decision.do === "create" && issued)
      return { status: "refused", error: new IdempotencyTokenError({ reason: "ended" }) };
    if (decision.do === "create" && !creates) return inProgress(0);
    if (decision.do !== "create" && decision.do !== "succeed") return await conclude(engine, request.id, decision);
    from = decision.do === "succeed" ? decision.from : undefined;
  }
  return creates ? waitOr(engine, request, lease, { do: "yield", lockEndsIn: 0 }, owner) : inProgress(0);
}

/** A claim that came too late to be used, by either clock, is given back. */
async function start(engine: Engine, request: BeginRequest, lease: Lease, record: InProgressRecord): Promise<Begun> {
  const claim = holdClaim(engine, record, lease);
  const locked = record.lockedUntil > nowOf(engine.store.clock);
  if (locked && claim.remainingTimeInMillis() > 0) return { status: "claimed", claim };
  await claim.cancel();
  return noTimeLeft(engine, request, lease);
}

/** Nothing has run: one best effort to give back a claim that may have been written although its answer never came. */
async function giveBack(engine: Engine, lease: Lease, { id, owner, from, issued, now }: ClaimRequest): Promise<void> {
  const keepUntil = from === undefined && !issued ? undefined : lease.keepUntil(now);
  try {
    await within(engine.runtime, lease.leftToSave(), () => engine.store.release({ id, owner, keepUntil }));
  } catch {
    // The lock lapses by itself.
  }
}

/**
 * An eventually consistent first look: only a finished record with an equal fingerprint is believed. Where a claim follows,
 * which answers, too, it has little time.
 */
async function lookAt(engine: Engine, request: BeginRequest, patience: number): Promise<Begun | undefined> {
  const now = nowOf(engine.store.clock);
  let found: Found;
  try {
    found = await within(engine.runtime, patience, () => engine.store.read(request.id, { consistent: false }));
  } catch {
    return undefined; // The claim that follows reports what is wrong.
  }
  return await answerIn(engine, request, found, now);
}

/**
 * The answer to a request by a finished record that this process knows, as a first look would give it; `undefined` where
 * it answers no such request.
 */
export async function answerFrom(engine: Engine, request: Identity, known: Found): Promise<Concluded | undefined> {
  const answer = await answerIn(engine, request, known, nowOf(engine.store.clock));
  return answer === undefined ? undefined : report(engine, request, answer);
}

function noTimeLeft(engine: Engine, request: BeginRequest, lease: Lease): Begun {
  const remaining = (request.remaining ?? lease.length) - lease.elapsed();
  return { status: "refused", error: new IdempotencyNoTimeLeftError({ remaining, needed: engine.deadlineMargin }) };
}
