import { isDeepStrictEqual } from "node:util";
import { refused } from "../../test/support/dynamodb-faults.ts";
import { type Answer, answerOf, type Case, errorOf, type Happened, returned } from "./case.ts";
import { contextWith } from "./context.ts";
import type { World } from "./world.ts";

class Money {
  readonly amount = 10;
}

const cycle = (): unknown => {
  const self: Record<string, unknown> = {};
  self["self"] = self;
  return self;
};

/** Results that JSON or DynamoDB's maps cannot hold as they are. */
const RESULTS: Readonly<Record<string, () => unknown>> = {
  Date: () => ({ at: new Date(0) }),
  "undefined property": () => ({ a: undefined, b: 1 }),
  NaN: () => ({ rate: Number.NaN }),
  "class instance": () => ({ money: new Money() }),
  BigInt: () => ({ amount: 10n }),
  Map: () => ({ map: new Map([["a", 1]]) }),
  Set: () => ({ set: new Set([1]) }),
  cycle,
  Error: () => ({ problem: new Error("declined") }),
};

const withoutUndefined = (value: unknown): unknown =>
  typeof value !== "object" || value === null
    ? value
    : Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined));

/** How a result that was sent twice fared, in words. */
function fate(runs: number, first: Answer, second: Answer): string {
  if (runs > 1) return "runs again";
  const [one, other] = [errorOf(first), errorOf(second)];
  if (one !== undefined && other !== undefined) {
    const namesPath = one.name === other.name && one.message === other.message && one.message.includes("$");
    return namesPath ? "same typed error with its path" : "error without its path";
  }
  if (!("value" in first && "value" in second)) return "other answer";
  const equal = isDeepStrictEqual(withoutUndefined(first.value), withoutUndefined(second.value));
  return equal ? "replayed equal" : "replayed changed";
}

const oddResults: Case = {
  id: "P18",
  title: "results that JSON cannot hold, each sent again after the lock has lapsed",
  expected: "each is replayed equal, or answered by the same typed error with its path; never a second run",
  async run(world) {
    const fates: Record<string, string[]> = {};
    for (const [kind, make] of Object.entries(RESULTS)) {
      const before = world.runs();
      const call = world.wrap(make, { operation: "odd", key: "id" });
      const first = await answerOf(call({ id: kind }, contextWith()));
      await world.lapse();
      const second = await answerOf(call({ id: kind }, contextWith()));
      const how = fate(world.runs() - before, first, second);
      fates[how] = [...(fates[how] ?? []), kind];
    }
    return { facts: Object.fromEntries(Object.entries(fates).map(([how, kinds]) => [how, kinds.join(", ")])) };
  },
  holds: ({ facts }) =>
    Object.keys(facts).every((how) => how === "replayed equal" || how === "same typed error with its path"),
};

const failedRelease: Case = {
  id: "P19",
  title: "the handler throws, and giving the key back fails too",
  expected: "the caller sees the handler's error; somebody is told of the other",
  async run(world) {
    const call = world.wrap(
      () => {
        throw new Error("card declined");
      },
      { key: "id" },
    );
    world.fault("DeleteItem", refused("AccessDeniedException"));
    const first = await answerOf(call({ id: "order-1" }, contextWith()));
    return {
      answers: { first },
      facts: { "caller reads": errorOf(first)?.message, "release failure told": world.side.sawReleaseFail() },
    };
  },
  holds: ({ facts }) => facts["caller reads"] === "card declined" && facts["release failure told"] === true,
};

/** A completed record loses or changes `attribute` by another hand; then the call comes again, and again once it is repaired. */
async function damaged(
  world: World,
  attribute: string,
  values: Readonly<Record<string, string | undefined>>,
): Promise<Partial<Happened>> {
  const call = world.wrap((_, run) => `of run ${run}`, { key: "id" });
  const event = { id: "order-1" };
  await call(event, contextWith());
  const original = (await world.items())[0]?.[attribute];
  const answers: Record<string, Answer> = {};
  const messages: (string | undefined)[] = [];
  for (const [name, value] of Object.entries(values)) {
    await world.edit({ [attribute]: value === undefined ? undefined : { S: value } });
    answers[name] = await answerOf(call(event, contextWith()));
    messages.push(errorOf(answers[name])?.message);
  }
  await world.edit({ [attribute]: original });
  const id = String((await world.items())[0]?.["id"]?.S);
  answers["repaired"] = await answerOf(call(event, contextWith()));
  const named = messages.every((message) => message?.includes(id) === true && message.includes(attribute));
  return { answers, facts: { [`error names record and ${attribute}`]: named } };
}

/** Not run again, refused by an error that says where to look, and good again after a repair. */
const refusedUntilRepaired = ({ runs, answers, facts }: Happened): boolean =>
  runs === 1 && Object.values(facts).every((named) => named === true) && returned(answers["repaired"], "of run 1");

const unknownStatus: Case = {
  id: "P21",
  title: "the stored status is unknown, or missing",
  expected: "1 run; an error that names the record and the attribute; good again once repaired",
  run: (world) => damaged(world, world.side.record.status, { unknown: "SHIPPED", missing: undefined }),
  holds: refusedUntilRepaired,
};

const lostResult: Case = {
  id: "P22",
  title: "the stored result is missing on a completed record",
  expected: "1 run; an error that names the record and the attribute; good again once repaired",
  run: (world) => damaged(world, world.side.record.result, { missing: undefined }),
  holds: refusedUntilRepaired,
};

export const records: readonly Case[] = [oddResults, failedRelease, unknownStatus, lostResult];
