import { type Fault, lostResponse, refused } from "../../test/support/dynamodb-faults.ts";
import { answerOf, type Case, errorOf, gate, refusedInProgress, returned, same } from "./case.ts";
import { contextWith } from "./context.ts";
import type { World } from "./world.ts";

const event = { id: "order-1" };
const byId = { key: "id" } as const;

/** The first call runs on while its lock lapses and a second one takes over; then the first ends by `late`. */
async function outliveTheLock(world: World, late: () => unknown) {
  const [started, end] = [gate(), gate()];
  const call = world.wrap(async (_, run) => {
    if (run > 1) return `of run ${run}`;
    started.open();
    await end.opened;
    return late();
  }, byId);
  const running = answerOf(call(event, contextWith()));
  await Promise.race([started.opened, running]);
  await world.lapse();
  const successor = await answerOf(call(event, contextWith()));
  end.open();
  const first = await running;
  return { answers: { first, successor, later: await answerOf(call(event, contextWith())) } };
}

const lateFailure: Case = {
  id: "P1",
  title: "the lock lapsed, a successor completed, the first execution then fails",
  expected: "2 runs; a later call gets the successor's answer",
  run: (world) =>
    outliveTheLock(world, () => {
      throw new Error("too late");
    }),
  holds: ({ runs, answers }) => runs === 2 && returned(answers["later"], "of run 2"),
};

const lateSuccess: Case = {
  id: "P2",
  title: "the same, and the first execution then succeeds",
  expected: "2 runs; a later call gets the successor's answer, the first that or a claim-lost error",
  run: (world) => outliveTheLock(world, () => "of run 1"),
  holds: ({ runs, answers: { first, successor, later } }) =>
    runs === 2 && returned(later, "of run 2") && (same(first, successor) || errorOf(first)?.code === "claim_lost"),
};

const lostClaim: Case = {
  id: "P9",
  title: "the claim is written, its response is lost, the SDK sends it again",
  expected: "1 run, and its answer",
  async run(world) {
    world.fault("PutItem", lostResponse, 1);
    const call = world.wrap((_, run) => `of run ${run}`, byId);
    return { answers: { first: await answerOf(call(event, contextWith())) } };
  },
  holds: ({ runs, answers }) => runs === 1 && returned(answers["first"], "of run 1"),
};

const failedSave: Case = {
  id: "P10",
  title: "saving fails after the effect, and the lock then lapses (policy where there is one: never again by itself)",
  expected: "the caller gets the result; 1 run",
  async run(world) {
    const call = world.wrap((_, run) => `of run ${run}`, { ...byId, whenAbandoned: "reject" });
    world.fault("UpdateItem", refused("AccessDeniedException"));
    const first = await answerOf(call(event, contextWith()));
    world.heal();
    await world.lapse();
    return { answers: { first, later: await answerOf(call(event, contextWith())) } };
  },
  holds: ({ runs, answers }) => runs === 1 && returned(answers["first"], "of run 1"),
};

const MINUTE = 60_000;

const noTimeKnown: Case = {
  id: "P11",
  title: "remaining time unknown, or 0, and the execution dies",
  expected: "refused before the effect, or free for a retry 16 minutes later",
  async run(world) {
    const answers: Record<string, Awaited<ReturnType<typeof answerOf>>> = {};
    for (const [name, context] of [
      ["unknown", undefined],
      ["0", contextWith(0)],
    ] as const) {
      const begun = gate();
      let dying = true;
      const call = world.wrap((_, run) => {
        begun.open();
        return dying ? new Promise(() => {}) : `of run ${run}`;
      }, byId);
      const first = answerOf(call({ id: name }, context));
      const early = await Promise.race([first, begun.opened]);
      if (early !== undefined) answers[`${name}`] = early;
      dying = false;
      const now = Date.now();
      world.stopClock(now + 16 * MINUTE);
      answers[`${name}, 16 min later`] = await answerOf(call({ id: name }, contextWith()));
      world.stopClock(undefined);
    }
    return { answers };
  },
  holds: ({ answers }) => ["unknown", "0"].every((name) => errorOf(answers[`${name}, 16 min later`]) === undefined),
};

/** The clock passes `at` while the answer of the request is on its way. */
const slowAnswer =
  (world: World, at: number): Fault =>
  async (send) => {
    const response = await send();
    world.stopClock(at);
    return response;
  };

/**
 * The peer compares the lock's end with `getUTCMilliseconds()`, 0 to 999, so that its branch for a lock that
 * lapsed meanwhile never fires: it refuses as in progress, as we do by design (one `now` for condition and
 * decision). Neither blocks for longer, since DynamoDB's condition carries the boundary on both sides.
 */
const boundary: Case = {
  id: "P23",
  title: "a dead execution's lock lapses: calls 1 ms before, during a slow request, and 1 ms after",
  expected: "refused as in progress 1 ms before, run 1 ms after",
  async run(world) {
    const begun = gate();
    const call = world.wrap((_, run) => {
      begun.open();
      return run === 1 ? new Promise(() => {}) : `of run ${run}`;
    }, byId);
    const dead = answerOf(call(event, contextWith(MINUTE)));
    await Promise.race([dead, begun.opened]);
    const end = Number((await world.items())[0]?.[world.side.record.lock]?.N);
    world.stopClock(end - 1);
    const before = await answerOf(call(event, contextWith()));
    world.fault("PutItem", slowAnswer(world, end + 1_000), 1);
    const meanwhile = await answerOf(call(event, contextWith()));
    world.heal();
    world.stopClock(end + 1);
    return { answers: { before, meanwhile, after: await answerOf(call(event, contextWith())) } };
  },
  holds: ({ answers: { before, after } }) => refusedInProgress(before) && errorOf(after) === undefined,
};

export const locks: readonly Case[] = [lateFailure, lateSuccess, lostClaim, failedSave, noTimeKnown, boundary];
