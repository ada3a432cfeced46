import { setTimeout as pause } from "node:timers/promises";
import type { LocalStack } from "../../../infra/local/stack.ts";
import type { Random } from "../../simulation/random.ts";

/** What was done to a stack. */
export interface Disturbance {
  /** Processes that got SIGKILL while they served an invocation. */
  readonly kills: number;
  /** Processes that were stopped in an invocation for longer than it could last. */
  readonly freezes: number;
}

/** Longer than a function may run and its lock holds, in milliseconds. */
const FREEZE = 10_000;

/** Kills and freezes at random moments what serves just then, until there were so many of each. */
export async function disturb(
  stack: LocalStack,
  random: Random,
  { kills, freezes }: Disturbance,
  onProgress: (so: Disturbance) => void,
): Promise<Disturbance> {
  let done: Disturbance = { kills: 0, freezes: 0 };
  while (done.kills < kills || done.freezes < freezes) {
    await pause(random.int(100, 2_500));
    // Most of an invocation is its cold start: more often than not the moment is one near a request to DynamoDB.
    if (random.chance(0.7)) await nextRequest(stack);
    await pause(random.int(0, 30));
    const name = random.chance(0.75) ? "Orders" : "Payments";
    // One freeze for each ten kills, so that both go on to the end.
    const isFreeze = done.freezes < freezes && done.freezes * kills <= done.kills * freezes && random.chance(0.5);
    if (isFreeze) done = { ...done, freezes: done.freezes + stack.faults.freeze(name, FREEZE) };
    else if (done.kills < kills) done = { ...done, kills: done.kills + stack.faults.kill(name) };
    onProgress(done);
  }
  return done;
}

/** Waits for the functions' next request to DynamoDB, a second at most. */
async function nextRequest({ dynamodbCalls }: LocalStack): Promise<void> {
  const [before] = dynamodbCalls.slice(-1);
  const end = Date.now() + 1_000;
  while (dynamodbCalls.at(-1) === before && Date.now() < end) await pause(2);
}
