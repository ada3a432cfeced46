import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { idempotentBatch, type SqsRecord } from "../../../src/batch.ts";
import { IdempotencyOutcomeUnknownError } from "../../../src/index.ts";
import { lambdaContext, testingStore } from "../../../src/testing.ts";
import { eventOf, failed, message } from "./kit.ts";

/** What the function does in one run. After its list it works. */
const ending = fc.constantFrom("works", "throws", "throws undefined", "throws at once", "unknown");

const sent = fc.record({
  /** Few, so that several messages mean the same. */
  key: fc.integer({ min: 0, max: 5 }),
  group: fc.integer({ min: 0, max: 2 }),
  body: fc.constantFrom("good", "good", "good", "good", "other"),
  turns: fc.nat({ max: 8 }),
  endings: fc.array(ending, { maxLength: 3 }),
});

const run = fc.record({
  fifo: fc.boolean(),
  fingerprint: fc.boolean(),
  concurrency: fc.integer({ min: 1, max: 4 }),
  batchSize: fc.integer({ min: 1, max: 12 }),
  messages: fc.array(sent, { maxLength: 12 }),
  /** Which claims, counted over the whole run, the store fails. */
  storeFailures: fc.array(fc.boolean(), { maxLength: 12 }),
});

/** More than any run's failures: each costs at most one delivery of its group. */
const MOST_DELIVERIES = 200;

describe("random messages, delivered until they are acknowledged", () => {
  it("take effect exactly once per key, in order per group, and none is lost", async () => {
    await fc.assert(
      fc.asyncProperty(run, async ({ fifo, fingerprint, concurrency, batchSize, messages, storeFailures }) => {
        const store = testingStore();
        const effects = new Map<number, number>();
        const order: string[] = [];
        let atWork = 0;
        const busy = new Set<string>();
        /** What the function saw: what it throws is the batch's to handle. */
        const wrong: string[] = [];
        let failedInBatch: string[] = [];
        let delivered: SqsRecord[] = [];
        const of = (id: string) => messages[Number(id)] as (typeof messages)[number];
        const scripts = messages.map(({ endings }) => [...endings]);

        const fn = ({ messageId }: SqsRecord): Promise<unknown> => {
          if (++atWork > concurrency) wrong.push(`${atWork} at work`);
          // No message of a group begins while another is at work or after one has failed.
          const mates = [...failedInBatch, ...busy].filter((id) => of(id).group === of(messageId).group);
          if (fifo && mates.length > 0) wrong.push(`${messageId} began beside or after ${mates}`);
          busy.add(messageId);
          const end = scripts[Number(messageId)]?.shift() ?? "works";
          if (end !== "works") failedInBatch.push(messageId);
          if (end === "throws at once") {
            atWork--;
            busy.delete(messageId);
            throw new Error("no");
          }
          return (async () => {
            for (let turn = 0; turn < of(messageId).turns; turn++) await Promise.resolve();
            atWork--;
            busy.delete(messageId);
            if (end === "throws") throw new Error("no");
            if (end === "throws undefined") throw undefined;
            if (end === "unknown") throw new IdempotencyOutcomeUnknownError();
            effects.set(of(messageId).key, (effects.get(of(messageId).key) ?? 0) + 1);
            order.push(messageId);
            return messageId;
          })();
        };
        const handler = idempotentBatch(fn, {
          store,
          operation: "pay",
          key: "json(body).key",
          concurrency,
          ...(fingerprint && { fingerprint: "json(body).body" }),
        });

        let queue = messages.map(({ key, group, body }, at) =>
          message(String(at), { body: { key, body }, ...(fifo && { group: `g-${group}` }) }),
        );
        const contents = new Map<number, string>();
        for (let delivery = 0; queue.length > 0 && delivery < MOST_DELIVERIES; delivery++) {
          if (storeFailures.shift()) store.failNext("claim", { responseLost: delivery % 2 === 0 });
          delivered = queue.slice(0, batchSize);
          failedInBatch = [];
          const reported = failed(await handler(eventOf(...delivered), lambdaContext()));

          expect(atWork).toBe(0);
          expect(wrong).toStrictEqual([]);
          expect(new Set(reported).size).toBe(reported.length);
          const ids = delivered.map(({ messageId }) => messageId);
          expect(ids.filter((id) => reported.includes(id))).toStrictEqual(reported);
          expect(reported).toEqual(expect.arrayContaining(failedInBatch));
          const acknowledged = delivered.filter(({ messageId }) => !reported.includes(messageId));
          for (const { messageId } of acknowledged) {
            const { key, body } = of(messageId);
            // Never lost: what is acknowledged has taken effect, with its own content.
            expect(effects.get(key)).toBe(1);
            if (fingerprint) expect(contents.get(key) ?? body).toBe(body);
            contents.set(key, body);
          }
          if (fifo) {
            // What is acknowledged of a group stands before what is reported of it.
            for (const group of [0, 1, 2]) {
              const mates = ids.filter((id) => of(id).group === group);
              const first = mates.findIndex((id) => reported.includes(id));
              if (first >= 0) expect(mates.slice(first).every((id) => reported.includes(id))).toBe(true);
            }
          }
          // A message whose key belongs to another content ends in the dead-letter queue, as the rest of its group waits.
          const reused = (id: string) =>
            fingerprint && contents.has(of(id).key) && contents.get(of(id).key) !== of(id).body;
          queue = [...delivered.filter(({ messageId }) => reported.includes(messageId)), ...queue.slice(batchSize)]
            .filter(({ messageId }) => !reused(messageId))
            .map((one) => ({
              ...one,
              attributes: { ...one.attributes, ApproximateReceiveCount: String(delivery + 2) },
            }));
          store.advance({ minutes: 2 });
        }

        expect(queue).toStrictEqual([]);
        expect([...effects.values()].every((times) => times === 1)).toBe(true);
        if (fifo) {
          for (const group of [0, 1, 2]) {
            const done = order.filter((id) => of(id).group === group).map(Number);
            expect(done).toStrictEqual([...done].sort((a, b) => a - b));
          }
        }
      }),
      { numRuns: 400 },
    );
  }, 60_000);
});
