import { json } from "../../../src/codec/json.ts";
import type { Called, Told } from "./caller.ts";
import type { Ground, Seen, Try } from "./cell.ts";
import type { Flow } from "./flows.ts";
import type { Entry } from "./world.ts";

/** How a cell came out. */
export interface Verdict {
  /** Commits that should not be there. */
  readonly doubleCommits: number;
  /** Answers that are not the record's, records or commits that an answer lacks. */
  readonly lostResults: number;
  readonly stuckKeys: number;
  /** Effects that were had again without being promised so. */
  readonly wrongEffects: number;
  /** Effects that were had again, by a later attempt, after an outcome that nobody knew: plain mode promises no more. */
  readonly repeated: number;
  /** The struck call's own answer, a retry at once, or one after the lock. */
  readonly answered: "itself" | "at once" | "after the lock";
  /** Whether the fault has met its request. */
  readonly isStruck: boolean;
  readonly violations: readonly string[];
}

/** Judges what was seen in a cell, by what the flow's mode promises. */
export async function verdictOf(
  ground: Ground,
  flow: Flow,
  seen: Seen,
  ids: readonly string[],
  isStruck: boolean,
): Promise<Verdict> {
  const counts = { doubleCommits: 0, lostResults: 0, stuckKeys: 0, wrongEffects: 0, repeated: 0 };
  const violations: string[] = [];
  const violate = (kind: keyof typeof counts, what: string): void => {
    counts[kind] += 1;
    violations.push(what);
  };
  if (seen.stuck !== undefined) violate("stuckKeys", seen.stuck);
  if (!isStruck) violations.push("the fault has struck nothing");
  const results = await recordsOf(ground, ids);

  for (const key of seen.keys) {
    const [orders, ledger, effects] = await Promise.all(
      (["orders", "ledger", "effects"] as const).map((table) => ground.world.entries(table, key)),
    );
    const answers = new Set(seen.tries.flatMap(({ called }) => called?.answers[key] ?? []));
    if (seen.stuck === undefined && answers.size === 0) violate("lostResults", "nobody was answered");
    if (flow.mode === "atomic") {
      const [entry, ...others] = ledger as Entry[];
      if (orders?.length !== ledger?.length) violate("lostResults", "half of a commit");
      if (others.length > 0) violate("doubleCommits", `${others.length + 1} commits`);
      const committed = JSON.stringify({ entry: entry?.entry });
      if (!results.includes(committed)) violate("lostResults", "the record does not hold what was committed");
      for (const answer of answers) {
        if (answer !== committed && answer !== '"acknowledged"')
          violate("lostResults", `answered ${answer}, committed ${committed}`);
      }
    } else {
      const repeats = repeatsIn(effects as Entry[]);
      counts.repeated += repeats.length;
      if (repeats.length > 0 && !seen.tries.some(isUnknown) && flow.abandoned !== true)
        violate("wrongEffects", "an effect was repeated after a known outcome");
      for (const wrong of repeats.filter(({ isTold }) => !isTold))
        violate("wrongEffects", `${wrong.name} was repeated in the same attempt`);
      const keysOfSteps = new Set((effects as Entry[]).map(({ name, idempotencyKey }) => `${name} ${idempotencyKey}`));
      const names = new Set((effects as Entry[]).map(({ name }) => name));
      if (keysOfSteps.size > names.size) violate("wrongEffects", "a step had two downstream keys");
      if (repeats.some(({ name }) => name === "b")) violate("wrongEffects", "the step that begins once was had twice");
      for (const answer of answers) {
        if (results.includes(answer)) continue;
        // Its result could not be saved, which it was told; by then the caller had to be answered.
        const told = seen.tries
          .filter(({ called }) => called?.answers[key] === answer)
          .every(({ called }) => wasTold(called, "save_failed"));
        if (!told || flow.mode === "steps" || repeats.length === 0)
          violate("lostResults", `answered ${answer}, and the record says ${results.join()}`);
      }
    }
  }
  const last = seen.tries.at(-1);
  const runsAlways = flow.batch === true || flow.options?.["claimAt"] === "commit";
  const isReplay = runsAlways || wasTold(last?.called, "replayed");
  // A result that could not be saved was returned all the same; the next call runs the function again.
  const isUnsaved = flow.mode !== "atomic" && seen.tries.some(({ called }) => wasTold(called, "save_failed"));
  if (last?.client === "afterwards" && !isReplay && !isUnsaved) violate("lostResults", "a call after all ran again");
  const own = seen.tries.find(({ struck }) => struck)?.called;
  const isOwn = own !== undefined && Object.keys(own.refusals).length === 0;
  return {
    ...counts,
    answered: isOwn ? "itself" : seen.moved > 0 ? "after the lock" : "at once",
    isStruck,
    violations,
  };
}

/** Whether a call was told so. */
export const wasTold = (called: Called | undefined, ...types: readonly Told["type"][]): boolean =>
  called?.turns.some(({ type }) => types.includes(type)) === true;

/** Nobody knows, after this call, whether its effects were had: it died, could not save what it had done, or lost its claim meanwhile. */
function isUnknown({ called }: Try): boolean {
  if (called === undefined || wasTold(called, "save_failed", "held", "release_failed", "claim_lost")) return true;
  return wasTold(called, "claimed") && Object.values(called.refusals).includes("store_failed");
}

/** The results of the completed records, as JSON. */
async function recordsOf({ store }: Ground, ids: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(ids.map((id) => store.read(id, { consistent: true })));
  const codec = json();
  return Promise.all(
    found.map(async (record) => {
      if (record?.status !== "COMPLETED") return `no result: ${record?.status}`;
      return JSON.stringify(await codec.decode(record.result, { id: record.id }));
    }),
  );
}

/** The effects that were had before under the same name; told: in a later attempt than all before. */
function repeatsIn(
  effects: readonly Entry[],
): readonly { readonly name: string | undefined; readonly isTold: boolean }[] {
  const byName = new Map<string | undefined, number[]>();
  for (const { name, attempt = 0 } of effects) byName.set(name, [...(byName.get(name) ?? []), attempt]);
  return [...byName].flatMap(([name, attempts]) => {
    const isTold = new Set(attempts).size === attempts.length;
    return attempts.slice(1).map(() => ({ name, isTold }));
  });
}
