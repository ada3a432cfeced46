import { setTimeout as pause } from "node:timers/promises";
import { startDynamoDBLocal } from "../../../infra/local/dynamodb-local.ts";
import { randomOf } from "../../simulation/random.ts";
import type { Job } from "../crash/caller.ts";
import type { Try } from "../crash/cell.ts";
import { FROZEN } from "../crash/flows.ts";
import { prepareGround } from "../crash/matrix.ts";
import { verdictOf, wasTold } from "../crash/verdict.ts";

/** What came of processes that were frozen past their lock. */
export interface Frozen {
  readonly freezes: number;
  /** Of these the ones that woke up to find that another call had taken over. */
  readonly overtaken: number;
  readonly wrong: readonly string[];
}

/** How long a process is stopped, in milliseconds: longer than the lock of `FROZEN`. */
const FREEZE = [1_800, 2_600] as const;

/**
 * Calls in processes of their own whose lock is shorter than what they may take, so that it is renewed. One of two for
 * each key is stopped (SIGSTOP) at a random moment, past its lock, and goes on (SIGCONT) when the other has taken over.
 */
export async function freezePastLock(count: number, seed: number, atOnce: number): Promise<Frozen> {
  const local = await startDynamoDBLocal();
  const ground = await prepareGround(local, 2 * atOnce);
  const random = randomOf(seed);
  const wrong: string[] = [];
  let [next, overtaken] = [0, 0];

  /** A client asks from a new process each time, until it is answered; the first call is frozen where `moment` says when. */
  async function ask(client: Try["client"], key: string, moment?: number): Promise<Try[]> {
    const tries: Try[] = [];
    for (let number = 1; ; number++) {
      const job: Job = {
        ...{
          flow: FROZEN.name,
          transport: "sdk",
          caller: `${client}${key}x${number}`,
          endpoint: local.endpoint,
          direct: local.endpoint,
        },
        ...{ tables: ground.world.tables, keys: [key], declines: false, abandons: false, ahead: 0 },
      };
      const remote = await ground.processes.call(job);
      const freeze = moment !== undefined && number === 1;
      if (freeze) {
        await pause(moment);
        remote.signal("SIGSTOP");
        await pause(random.int(...FREEZE));
        remote.signal("SIGCONT");
      }
      const called = await remote.called;
      tries.push({ client, struck: freeze, called });
      if (called?.answers[key] !== undefined) return tries;
      if (number === 100) throw new Error(`${key} was never answered: ${JSON.stringify(called?.refusals)}`);
      await pause(100);
    }
  }

  async function worker(): Promise<void> {
    while (next < count) {
      const key = `frozen${++next}`;
      const moment = random.int(100, 1_300);
      const duplicate = pause(moment + random.int(-100, 500)).then(() => ask("duplicate", key));
      const both = await Promise.all([ask("first", key, moment), duplicate]);
      const tries = [...both.flat(), ...(await ask("afterwards", key))];
      const ids = new Set(tries.flatMap(({ called }) => called?.turns.flatMap(({ id }) => id ?? []) ?? []));
      const seen = { keys: [key], tries, requests: [], moved: 0, stuck: undefined };
      const { violations } = await verdictOf(ground, FROZEN, seen, [...ids], true);
      wrong.push(...violations.map((violation) => `${key}: ${violation}`));
      const [frozen] = tries.filter(({ struck }) => struck);
      if (wasTold(frozen?.called, "claim_lost")) overtaken += 1;
    }
  }

  try {
    await Promise.all(Array.from({ length: atOnce }, worker));
  } finally {
    await ground.close();
    await local.stop();
  }
  return { freezes: count, overtaken, wrong };
}
