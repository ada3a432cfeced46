import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { begin } from "../../src/core/begin.ts";
import type { Engine } from "../../src/core/engine.ts";
import { isIdempotencyError } from "../../src/core/errors.ts";
import type { IdempotencyStore } from "../../src/core/store.ts";
import { bench, busy, count, failing, request } from "../support/claims.ts";

const FAULTS = ["none", "none", "none", "before", "after", "busy", "denied", "lapse"] as const;
type Fault = (typeof FAULTS)[number];
const VERBS = ["claim", "complete", "release", "checkpoint", "commit", "read"] as const;

interface Worker {
  readonly claimAt: Engine["claimAt"];
  readonly how: "return" | "commit" | "commit and throw" | "throw";
  readonly step: boolean;
  readonly faults: readonly Fault[];
}

const worker: fc.Arbitrary<Worker> = fc.record({
  claimAt: fc.constantFrom("start", "start", "commit"),
  how: fc.constantFrom("return", "return", "commit", "commit and throw", "throw"),
  step: fc.boolean(),
  faults: fc.array(fc.constantFrom(...FAULTS), { maxLength: 8 }),
});

/** A function that claims that all is well, though nobody knows, or the claim is lost. */
function swallow(error: { readonly outcome?: unknown; readonly code?: unknown }): void {
  if (error.outcome !== "unknown" && error.code !== "claim_lost") throw error;
}

describe("workers with one key, faults at their requests, and locks that lapse under them", () => {
  it("commit at most once, and all answers are equal and true", async () => {
    let committed = 0;
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(worker, { minLength: 2, maxLength: 4 }), async (scheduler, workers) => {
        const under = bench({ observe: undefined });
        const answers: unknown[] = [];
        const faulty = (left: Fault[]): IdempotencyStore => {
          const store = { ...under.store };
          for (const verb of VERBS) {
            const carryOut = under.store[verb] as (...args: unknown[]) => Promise<unknown>;
            const instead = async (...args: unknown[]): Promise<unknown> => {
              await scheduler.schedule(Promise.resolve(), verb);
              const fault = left.shift() ?? "none";
              if (fault === "lapse") under.time.skew(40_000);
              if (fault === "before") return failing("timeout")();
              if (fault === "denied") return failing("access_denied")();
              if (fault === "busy" && verb !== "read") return busy();
              const answer = await carryOut(...args);
              await scheduler.schedule(Promise.resolve(), `${verb} answers`);
              if (fault === "after") return failing("timeout")();
              return answer;
            };
            Object.assign(store, { [verb]: instead });
          }
          return store;
        };
        const calls = workers.map(async ({ claimAt, how, step, faults }, n) => {
          const left = [...faults];
          const engine = { ...under.engine, claimAt, store: faulty(left) };
          await scheduler.schedule(Promise.resolve(), `worker ${n} begins`);
          const begun = await begin(engine, request);
          if (begun.status === "replayed") answers.push(begun.result);
          if (begun.status !== "claimed") return;
          const { claim } = begun;
          try {
            try {
              if (step && claimAt === "start") await claim.step("charge", () => n);
              if (how === "throw") throw new Error("business");
              if (how === "return") claim.write([count("o-1")]);
              else {
                await claim.commit([count("o-1")], `committed by ${n}`).catch(swallow);
                if (how === "commit and throw") throw new Error("business");
              }
            } catch (error) {
              const winner = await claim.threw(error);
              if (winner !== undefined) answers.push(winner.result);
              return;
            }
            const answer = await claim.returned(`worker ${n}`);
            answers.push(answer.result);
          } catch (error) {
            if (!isIdempotencyError(error)) throw error;
          }
        });
        await scheduler.waitFor(Promise.all(calls));
        const times = (under.tables.get("orders", { id: "o-1" })?.["n"] ?? 0) as number;
        expect(times).toBeLessThanOrEqual(1);
        expect(new Set(answers).size).toBeLessThanOrEqual(1);
        committed += times;
        // Faults have stopped: the next one is answered at once, or after the lock's end, with what is true.
        under.time.skew(40_000);
        const last = await begin(under.engine, request);
        if (last.status === "replayed") {
          expect(times === 1 || answers.length > 0).toBe(true);
          for (const answer of answers) expect(answer).toBe(last.result);
        } else expect([last.status, times]).toStrictEqual(["claimed", 0]);
      }),
      { numRuns: 500 },
    );
    expect(committed).toBeGreaterThan(100);
  }, 30_000);
});
