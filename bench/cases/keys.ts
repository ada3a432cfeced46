import { type Answer, answerOf, type Case, errorOf, gate, returned, same } from "./case.ts";
import { contextWith } from "./context.ts";
import type { Handler } from "./side.ts";

/** Calls one after the other with these events, each under its name. */
async function inTurn(
  call: Handler,
  events: Readonly<Record<string, unknown>>,
): Promise<{ answers: Record<string, Answer> }> {
  const answers: Record<string, Answer> = {};
  for (const [name, event] of Object.entries(events)) answers[name] = await answerOf(call(event, contextWith()));
  return { answers };
}

const sharedStore: Case = {
  id: "P8",
  title: "two functions of different names share one store and run at the same time with equal events",
  expected: "1 run each; each replays its own result",
  async run(world) {
    const [started, end] = [gate(), gate()];
    const f = world.wrap(
      async () => {
        started.open();
        await end.opened;
        return "of f";
      },
      { operation: "f", key: "id" },
    );
    const g = world.wrap(() => "of g", { operation: "g", key: "id" });
    const event = { id: "order-1" };
    const running = answerOf(f(event, contextWith()));
    await Promise.race([started.opened, running]);
    await answerOf(g(event, contextWith()));
    end.open();
    await running;
    return {
      answers: {
        "f again": await answerOf(f(event, contextWith())),
        "g again": await answerOf(g(event, contextWith())),
      },
    };
  },
  holds: ({ runs, answers }) =>
    runs === 2 && returned(answers["f again"], "of f") && returned(answers["g again"], "of g"),
};

const swappedNames: Case = {
  id: "P12",
  title: "{a, A}, and the same with its names in the other order",
  expected: "1 run; the same answer",
  run: (world) =>
    inTurn(
      world.wrap((_, run) => `of run ${run}`, {}),
      { aA: { a: 1, A: 2 }, Aa: { A: 2, a: 1 } },
    ),
  holds: ({ runs, answers: { aA, Aa } }) => runs === 1 && same(aA, Aa),
};

const protoNames: Case = {
  id: "P13",
  title: "payloads that differ only in a property named __proto__",
  expected: "2 runs; different answers",
  run: (world) =>
    inTurn(
      world.wrap((_, run) => `of run ${run}`, {}),
      {
        "amount 10": JSON.parse('{"id":"order-1","__proto__":{"amount":10}}'),
        "amount 20": JSON.parse('{"id":"order-1","__proto__":{"amount":20}}'),
      },
    ),
  holds: ({ runs, answers }) => runs === 2 && !same(answers["amount 10"], answers["amount 20"]),
};

const missingParts: Case = {
  id: "P14",
  title: "key [tenant, orderId], a missing key is to be refused: two orders without a part, two without both",
  expected: "all four are refused",
  run: (world) =>
    inTurn(
      world.wrap((_, run) => `of run ${run}`, { key: "[tenant, orderId]" }),
      {
        "one missing": { tenant: "t-1", amount: 10 },
        another: { tenant: "t-1", amount: 20 },
        "both missing": { amount: 10 },
        "both again": { amount: 20 },
      },
    ),
  holds: ({ runs, answers }) => runs === 0 && Object.values(answers).every((answer) => errorOf(answer) !== undefined),
};

const falsyKeys: Case = {
  id: "P15",
  title: "the keys 0 and false, a missing key is to be refused: each sent twice",
  expected: "1 run each; the same answers",
  run: (world) =>
    inTurn(
      world.wrap((_, run) => `of run ${run}`, { key: "id" }),
      { "0": { id: 0 }, "0 again": { id: 0 }, false: { id: false }, "false again": { id: false } },
    ),
  holds: ({ runs, answers }) =>
    runs === 2 && same(answers["0"], answers["0 again"]) && same(answers["false"], answers["false again"]),
};

const othersKey: Case = {
  id: "P17",
  title: "user B sends user A's key (the user is told to the library where it has a word for it)",
  expected: "B never gets A's answer",
  run: (world) =>
    inTurn(
      world.wrap((event) => `secret of ${(event as { user: string }).user}`, { key: "id", principal: "user" }),
      { A: { user: "A", id: "key-1" }, B: { user: "B", id: "key-1" } },
    ),
  holds: ({ answers: { A, B } }) => !same(A, B),
};

export const keys: readonly Case[] = [sharedStore, swappedNames, protoNames, missingParts, falsyKeys, othersKey];
