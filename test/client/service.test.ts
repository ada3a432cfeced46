import { afterEach, expect, it } from "vitest";
import { IdempotentFetchError, idempotentFetch } from "../../src/client.ts";
import { type Mishap, type Service, startService } from "./server.ts";

const MISHAPS: readonly Mishap[] = [
  "reset before the effect",
  "reset after the effect",
  "cut in the body",
  "silence after the effect",
  "503 before the effect",
  "429 before the effect",
  "502 after the effect",
  "slow effect",
];

let service: Service;
afterEach(() => service.close());

const order = (name: string) => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ order: name }),
});

/** Numbers from 0 to below 1, the same in each run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

it.each([1, 2])(
  "carries out each of 200 operations once, and each caller gets the one answer (seed %i)",
  async (seed) => {
    const random = numbers(seed);
    service = await startService(() =>
      random() < 0.5 ? "none" : (MISHAPS[Math.floor(random() * MISHAPS.length)] as Mishap),
    );
    const post = idempotentFetch({
      timeout: 600,
      backoff: 20,
      maxBackoff: 100,
      attempts: 500,
      deadline: 100_000,
      body: "whole",
    });

    const place = async (at: number) => {
      const first = await post(service.url, order(`o-${at}`));
      const receipt = (await first.json()) as { receipt: string };
      // The caller asks once more, with the key that it was told.
      const headers = { "Idempotency-Key": `${first.idempotencyKey}` };
      const second = await post(service.url, { ...order(`o-${at}`), headers });
      return { first, receipt, second, again: await second.json() };
    };
    // In waves: all at once would measure how fast this machine opens connections, not who runs twice.
    const answers: Awaited<ReturnType<typeof place>>[] = [];
    for (let at = 0; at < 200; at += 25) {
      answers.push(...(await Promise.all(Array.from({ length: 25 }, (_, more) => place(at + more)))));
    }

    answers.forEach(({ first, receipt, second, again }, at) => {
      expect([first.status, second.status, second.replayed]).toStrictEqual([201, 201, true]);
      expect(receipt).toMatchObject({ order: `o-${at}` });
      expect(again).toStrictEqual(receipt);
    });
    expect(service.effects.size).toBe(200);
    expect([...new Set(service.effects.values())]).toStrictEqual([1]);
    expect(new Set(answers.map(({ receipt }) => receipt.receipt)).size).toBe(200);
    for (const what of [...MISHAPS, "409"]) expect(service.seen.get(what), what).toBeGreaterThan(0);
    expect(answers.some(({ first }) => first.replayed)).toBe(true);
  },
  120_000,
);

it("makes one operation of calls that share a business key, and answers all alike", async () => {
  service = await startService((request) => (request.headers["idempotency-retry"] ? "none" : "slow effect"));
  const post = idempotentFetch({ key: "order-1", backoff: 20, maxBackoff: 50, attempts: 500 });
  const answers = await Promise.all(Array.from({ length: 10 }, () => post(service.url, order("o-1"))));
  const receipts = await Promise.all(answers.map((answer) => answer.json()));
  expect(service.effects).toStrictEqual(new Map([["o-1", 1]]));
  expect(receipts).toStrictEqual(Array(10).fill(receipts[0]));
  expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
});

it("gives a 422 as it is when the key was used for another request", async () => {
  service = await startService(() => "none");
  const post = idempotentFetch({ key: "order-1" });
  await post(service.url, order("o-1"));
  const other = await post(service.url, order("o-2"));
  expect(other).toMatchObject({ status: 422, attempts: 1, replayed: false });
  expect(await other.json()).toMatchObject({ type: "https://lambda-once.dev/problems/key_reused" });
});

it("rejects at the deadline with the key, by which a later call learns the outcome", async () => {
  let silent = true;
  service = await startService(() => (silent ? "silence after the effect" : "none"));
  const started = Date.now();
  const lost = await idempotentFetch({ deadline: 300, timeout: 80, backoff: 10 })(service.url, order("o-1")).catch(
    (error: unknown) => error,
  );
  expect(Date.now() - started).toBeLessThan(3_000);
  expect(lost).toBeInstanceOf(IdempotentFetchError);
  silent = false;
  const headers = { "Idempotency-Key": `${(lost as IdempotentFetchError).idempotencyKey}` };
  const answer = await idempotentFetch()(service.url, { ...order("o-1"), headers });
  expect(answer).toMatchObject({ status: 201, replayed: true });
  expect(service.effects).toStrictEqual(new Map([["o-1", 1]]));
});

it("stops at once when the caller aborts during an attempt", async () => {
  service = await startService(() => "silence after the effect");
  const caller = new AbortController();
  setTimeout(() => caller.abort(new Error("left")), 50);
  await expect(idempotentFetch()(service.url, { ...order("o-1"), signal: caller.signal })).rejects.toThrow("left");
  expect(service.seen.get("silence after the effect")).toBe(1);
});

it("leaves the body of its answer to the caller's signal, not to the timeout of the attempt", async () => {
  service = await startService(() => "stall in the body");
  const caller = new AbortController();
  const answer = await idempotentFetch({ timeout: 200 })(service.url, { ...order("o-1"), signal: caller.signal });
  let read = "stalled";
  const text = answer.text().catch((error: Error) => {
    read = error.message;
  });
  await new Promise((resolve) => setTimeout(resolve, 350));
  expect(read).toBe("stalled");
  caller.abort(new Error("left"));
  await text;
  expect(read).not.toBe("stalled");
});

it("reports a connection that nobody accepts", async () => {
  service = await startService(() => "none");
  await service.close();
  const post = idempotentFetch({ attempts: 3, backoff: 1 });
  await expect(post(service.url, order("o-1"))).rejects.toMatchObject({ attempts: 3, cause: { name: "TypeError" } });
});
