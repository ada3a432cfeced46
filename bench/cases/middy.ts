import { setTimeout as pause } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { answerOf, type Case, errorOf, gate, refusedInProgress, returned } from "./case.ts";
import { contextWith } from "./context.ts";

const event = { id: "order-1", amount: 10 };
const byId = { key: "id" } as const;

const duplicateWhileRunning: Case = {
  id: "P3",
  title: "Middy: two duplicates arrive, one after the other, while the first call runs",
  expected: "1 run; both are refused as in progress",
  async run(world) {
    const [started, end] = [gate(), gate()];
    const call = world.middy(async (_, run) => {
      started.open();
      await end.opened;
      return `of run ${run}`;
    }, byId);
    const running = answerOf(call(event, contextWith()));
    await Promise.race([started.opened, running]);
    const second = await answerOf(call(event, contextWith()));
    const again = answerOf(call(event, contextWith()));
    await Promise.race([again, pause(1_000)]);
    end.open();
    return { answers: { first: await running, second, third: await again } };
  },
  holds: ({ runs, answers: { second, third } }) => runs === 1 && refusedInProgress(second) && refusedInProgress(third),
};

const otherPayload: Case = {
  id: "P4",
  title: "Middy: the key of a completed call comes again with another payload",
  expected: "refused; the record unchanged byte for byte; the first payload is replayed",
  async run(world) {
    const call = world.middy((_, run) => `of run ${run}`, { ...byId, fingerprint: "amount" });
    const first = await answerOf(call(event, contextWith()));
    const before = await world.items();
    const other = await answerOf(call({ ...event, amount: 999 }, contextWith()));
    const unchanged = isDeepStrictEqual(before, await world.items());
    return {
      answers: { first, other, replay: await answerOf(call(event, contextWith())) },
      facts: { "record unchanged": unchanged },
    };
  },
  holds: ({ runs, answers, facts }) =>
    runs === 1 &&
    errorOf(answers["other"]) !== undefined &&
    facts["record unchanged"] === true &&
    returned(answers["replay"], "of run 1"),
};

const timeoutEarly: Case = {
  id: "P5",
  title: "Middy: its default timeoutEarly answers while the handler still runs; the client sends again",
  expected: "1 effect; the retry is refused as in progress",
  async run(world) {
    let effects = 0;
    const call = world.middy(async (_, run) => {
      await pause(run === 1 ? 1_500 : 0);
      effects += 1;
      return `of run ${run}`;
    }, byId);
    const first = await answerOf(call(event, contextWith(1_200)));
    const retry = await answerOf(call(event, contextWith()));
    await pause(500);
    return { answers: { first, retry }, facts: { effects } };
  },
  holds: ({ answers, facts }) => facts["effects"] === 1 && refusedInProgress(answers["retry"]),
};

const laterHookThrows: Case = {
  id: "P6",
  title: "Middy: an `after` hook of others throws after the result was saved; the client sends again",
  expected: "1 run; the retry gets its result",
  async run(world) {
    let failures = 0;
    const other = {
      after: () => {
        if (++failures === 1) throw new Error("the other hook failed");
      },
    };
    const call = world.middy((_, run) => `of run ${run}`, byId, other);
    const first = await answerOf(call(event, contextWith()));
    return { answers: { first, retry: await answerOf(call(event, contextWith())) } };
  },
  holds: ({ runs, answers }) => runs === 1 && returned(answers["retry"], "of run 1"),
};

const returnsUndefined: Case = {
  id: "P7",
  title: "Middy: the handler returns undefined",
  expected: "1 run; the duplicate gets undefined",
  async run(world) {
    const call = world.middy(() => undefined, byId);
    const first = await answerOf(call(event, contextWith()));
    return { answers: { first, second: await answerOf(call(event, contextWith())) } };
  },
  holds: ({ runs, answers }) => runs === 1 && returned(answers["second"], undefined),
};

export const inMiddy: readonly Case[] = [
  duplicateWhileRunning,
  otherPayload,
  timeoutEarly,
  laterHookThrows,
  returnsUndefined,
];
