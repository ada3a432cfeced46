import { randomUUID } from "node:crypto";
import { currentClaim, isIdempotencyError } from "lambda-once";
import type { World } from "./world.ts";

/** What a flow's function is asked for. */
export interface Payment {
  /** The operation's key. */
  readonly id: string;
  /** The function refuses, before it has had its effect or with a condition that fails. */
  readonly declines: boolean;
}

/** One way of using the library. */
export interface Flow {
  readonly name: string;
  /** What is promised: see `verdict.ts`. */
  readonly mode: "plain" | "steps" | "atomic";
  /** Options of the operation besides those that all flows have. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** The first call declines; its clients ask again. */
  readonly declines?: boolean;
  /** Before, another process died after its function: its lock has lapsed. */
  readonly abandoned?: boolean;
  /** Three records in one batch from SQS. */
  readonly batch?: boolean;
  /** The requests that are struck: those that no other flow makes in this way. Without it, all. */
  readonly struck?: readonly string[];
  /** The duplicate is there from the beginning, and waits. */
  readonly waits?: boolean;
  run(world: World, payment: Payment): Promise<unknown>;
}

const declined = (): Error => new Error("declined");

async function plain(world: World, { id, declines }: Payment): Promise<unknown> {
  if (declines) throw declined();
  return { entry: await world.effect(id, { name: "effect", attempt: currentClaim().attempt }) };
}

/** Step `b` begins once: where nobody knows what became of it, it is looked for by its downstream key. */
async function steps(world: World, { id, declines }: Payment): Promise<unknown> {
  const claim = currentClaim();
  const { attempt } = claim;
  const effect = (name: string) => world.effect(id, { name, attempt, idempotencyKey: claim.keyFor(name) });
  const a = await claim.step("a", () => effect("a"));
  if (declines) throw declined();
  const b = await claim
    .step("b", () => effect("b"), { once: true })
    .catch(async (error: unknown) => {
      if (!isIdempotencyError(error) || error.code !== "step_interrupted") throw error;
      const done = (await world.entries("effects", id)).find((one) => one.idempotencyKey === claim.keyFor("b"));
      return done?.entry ?? effect("b");
    });
  const c = await claim.step("c", () => effect("c"));
  return { a, b, c };
}

/** Two entries in two tables, new ones in each execution: what commits twice leaves four. */
function writes({ tables }: World, { id, declines }: Payment, entry: string) {
  const item = { operation: id, entry };
  const check = {
    ConditionCheck: {
      TableName: tables.ledger,
      Key: { operation: id, entry: "never there" },
      ConditionExpression: "attribute_exists(entry)",
    },
  };
  return [
    { Put: { TableName: tables.orders, Item: item } },
    { Put: { TableName: tables.ledger, Item: item } },
    ...(declines ? [check] : []),
  ];
}

async function write(world: World, payment: Payment): Promise<unknown> {
  const entry = randomUUID();
  currentClaim().write(...writes(world, payment, entry));
  return { entry };
}

async function commit(world: World, payment: Payment): Promise<unknown> {
  const result = { entry: randomUUID() };
  const { committed } = await currentClaim().commit(writes(world, payment, result.entry), { result });
  if (!committed) throw declined();
  return result;
}

async function slowly<R>(milliseconds: number, result: Promise<R>): Promise<R> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  return result;
}

/** Each way of using the library whose requests are faulted. */
export const FLOWS: readonly Flow[] = [
  { name: "plain", mode: "plain", run: plain },
  { name: "plain, declined", struck: ["DeleteItem release"], mode: "plain", declines: true, run: plain },
  { name: "plain, looking first", struck: ["GetItem read"], mode: "plain", options: { lookup: "first" }, run: plain },
  {
    name: "plain, renewed",
    struck: ["UpdateItem renew"],
    mode: "plain",
    options: { lockFor: { seconds: 2.4 } },
    run: (world, payment) => slowly(1_000, plain(world, payment)),
  },
  {
    name: "plain, taking over",
    struck: ["PutItem claim", "UpdateItem takeover"],
    mode: "plain",
    abandoned: true,
    run: plain,
  },
  { name: "three steps", mode: "steps", run: steps },
  {
    name: "three steps, declined after one",
    struck: ["UpdateItem release", "UpdateItem takeover"],
    mode: "steps",
    declines: true,
    run: steps,
  },
  { name: "claim.write", mode: "atomic", run: write },
  {
    name: "claim.write, refused",
    struck: ["TransactWriteItems commit", "GetItem read", "DeleteItem release"],
    mode: "atomic",
    declines: true,
    run: write,
  },
  {
    name: "claim.write, taking over",
    struck: ["UpdateItem takeover", "TransactWriteItems commit"],
    mode: "atomic",
    abandoned: true,
    run: write,
  },
  {
    name: "claim.write, waited for",
    struck: ["GetItem read"],
    mode: "atomic",
    waits: true,
    options: { whenInProgress: "wait" },
    run: (world, payment) => slowly(300, write(world, payment)),
  },
  { name: "claim.commit", mode: "atomic", run: commit },
  {
    name: "claim.commit, refused",
    struck: ["TransactWriteItems commit", "GetItem read", "DeleteItem release"],
    mode: "atomic",
    declines: true,
    run: commit,
  },
  { name: "claimAt 'commit'", mode: "atomic", options: { claimAt: "commit" }, run: write },
  { name: "claimAt 'commit', refused", mode: "atomic", declines: true, options: { claimAt: "commit" }, run: write },
  { name: "batch of three", mode: "atomic", batch: true, run: write },
];

/** Takes a second under a lock of one second, which is renewed: a process that is stopped meanwhile loses it. */
export const FROZEN: Flow = {
  name: "claim.write, frozen",
  mode: "atomic",
  options: { lockFor: { seconds: 1 } },
  run: (world, payment) => slowly(1_000, write(world, payment)),
};

/** The flow of that name. */
export function flowOf(name: string): Flow {
  const flow = [...FLOWS, FROZEN].find((one) => one.name === name);
  if (flow === undefined)
    throw new Error(`there is no flow ${name}; there are ${FLOWS.map((one) => one.name).join(", ")}`);
  return flow;
}
