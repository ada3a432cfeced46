import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { CommitAnswer, CommitRecord, CommitRequest, IdempotencyStore } from "../../src/core/store.ts";
import { type EpochSeconds, epochMillis } from "../../src/core/time.ts";
import type { NativeItem, WriteAction } from "../../src/core/write.ts";
import { ask, completed, done, freshId, from, outcomeOf, running, SECOND, START } from "./requests.ts";
import type { StoreUnderTest } from "./store.ts";

/** A store with a table of the user's own beside it, whose partition key is `id`. */
export interface CommitsUnderTest extends Omit<StoreUnderTest, "clock"> {
  readonly store: IdempotencyStore;
  readonly table: string;
  get(id: string): Promise<NativeItem | undefined>;
}

const fromClaim = (id: string, more: object = {}): CommitRecord => ({ from: "claim", ...done(id), ...more });
const fromNothing = (id: string, more: object = {}): CommitRecord => ({
  ...{ from: "nothing", now: epochMillis(START), fingerprint: "print" },
  ...done(id),
  ...more,
});

/** What every store that can commit has to do. */
export function describeCommits(name: string, make: () => Promise<CommitsUnderTest>): void {
  describe(`${name} keeps the contract of a commit`, () => {
    let under: CommitsUnderTest;
    beforeAll(async () => {
      under = await make();
    });
    const request = (
      record: CommitRecord | undefined,
      actions: readonly WriteAction[],
      token: string = randomUUID(),
    ): CommitRequest => ({ record, actions, token });
    const send = (sent: CommitRequest): Promise<CommitAnswer> =>
      (under.store.commit as NonNullable<IdempotencyStore["commit"]>)(sent);
    const put = (Item: NativeItem): WriteAction => ({ Put: { TableName: under.table, Item } });
    const putNew = (Item: NativeItem): WriteAction => ({
      Put: { TableName: under.table, Item, ConditionExpression: "attribute_not_exists(id)" },
    });
    const count = (id: string): WriteAction => ({
      Update: {
        TableName: under.table,
        Key: { id },
        UpdateExpression: "ADD #n :one",
        ExpressionAttributeNames: { "#n": "n" },
        ExpressionAttributeValues: { ":one": 1 },
      },
    });

    describe("under a claim", () => {
      it("completes the record and carries the writes out", async () => {
        const [id, order] = [freshId(), randomUUID()];
        await under.seed(running(id));
        expect(await send(request(fromClaim(id), [put({ id: order, n: 1 })]))).toStrictEqual({ outcome: "written" });
        expect(await under.store.read(id, { consistent: true })).toMatchObject({
          status: "COMPLETED",
          owner: "first",
          result: { encoding: "json", data: '{"ok":true}' },
        });
        expect(await under.raw(id)).not.toHaveProperty("steps");
        expect(await under.raw(id)).not.toHaveProperty("lockedUntil");
        expect(await under.get(order)).toStrictEqual({ id: order, n: 1 });
      });

      it("completes the record alone where there are no writes", async () => {
        const id = freshId();
        await under.store.claim(ask(id));
        expect(await outcomeOf(send(request(fromClaim(id), [])))).toBe("written");
        expect(await under.store.read(id, { consistent: true })).toMatchObject({ status: "COMPLETED" });
      });

      it("is written after the lock lapsed, where nobody took over", async () => {
        const id = freshId();
        await under.seed(running(id, { lockedUntil: START - 60_000 }));
        expect(await outcomeOf(send(request(fromClaim(id), [count(randomUUID())])))).toBe("written");
      });

      it("sent again is carried out once, and is never refused by its own work", async () => {
        const [id, order] = [freshId(), randomUUID()];
        await under.store.claim(ask(id));
        const sent = request(fromClaim(id), [count(order), putNew({ id: `${order}/new` })]);
        expect(await outcomeOf(send(sent))).toBe("written");
        expect(await outcomeOf(send(sent))).toBe("written");
        expect(await under.get(order)).toStrictEqual({ id: order, n: 1 });
      });

      it("is refused with the record that stands there where it is lost, and writes nothing", async () => {
        const [id, order] = [freshId(), randomUUID()];
        await under.store.claim(ask(id));
        const now = epochMillis(START + 30_000);
        await under.store.claim(ask(id, { owner: "second", now, lockedUntil: epochMillis(START + 60_000), from }));
        const before = await under.raw(id);
        const answer = await send(request(fromClaim(id), [put({ id: order })]));
        expect(answer).toMatchObject({ outcome: "conflict", found: { status: "IN_PROGRESS", owner: "second" } });
        expect(await under.raw(id)).toStrictEqual(before);
        expect(await under.get(order)).toBeUndefined();
      });

      it.each(["completed", "gone"])("is refused where the record is %s, and writes nothing", async (what) => {
        const [id, order] = [freshId(), randomUUID()];
        if (what === "completed") await under.seed(completed(id));
        const answer = await send(request(fromClaim(id), [put({ id: order })]));
        expect(answer).toStrictEqual({
          outcome: "conflict",
          found: await under.store.read(id, { consistent: true }),
        });
        expect(await under.get(order)).toBeUndefined();
      });

      it("says which condition of a write failed and on what, and leaves the claim as it is", async () => {
        const [id, order] = [freshId(), randomUUID()];
        await under.store.claim(ask(id));
        await send(request(undefined, [put({ id: order, n: 7, big: 9_007_199_254_740_993n, tags: new Set(["a"]) })]));
        const before = await under.raw(id);
        const answer = await send(
          request(fromClaim(id), [count(`${order}/a`), putNew({ id: order }), count(`${order}/b`)]),
        );
        expect(answer).toStrictEqual({
          outcome: "refused",
          facts: [
            { status: "cancelled" },
            {
              status: "refused",
              reason: "ConditionalCheckFailed",
              found: { id: order, n: 7, big: 9_007_199_254_740_993n, tags: new Set(["a"]) },
            },
            { status: "cancelled" },
          ],
        });
        expect(await under.raw(id)).toStrictEqual(before);
        expect(await under.get(`${order}/a`)).toBeUndefined();
      });

      it("says that a condition failed where nothing stood there", async () => {
        const [id, order] = [freshId(), randomUUID()];
        await under.store.claim(ask(id));
        const check: WriteAction = {
          ConditionCheck: { TableName: under.table, Key: { id: order }, ConditionExpression: "attribute_exists(id)" },
        };
        expect(await send(request(fromClaim(id), [check]))).toStrictEqual({
          outcome: "refused",
          facts: [{ status: "refused", reason: "ConditionalCheckFailed", found: undefined }],
        });
      });

      it("is lost where both the claim and a write's condition fail", async () => {
        const [id, order] = [freshId(), randomUUID()];
        await under.seed(completed(id));
        await send(request(undefined, [put({ id: order })]));
        expect(await send(request(fromClaim(id, { owner: "other" }), [putNew({ id: order })]))).toMatchObject({
          outcome: "conflict",
          found: { status: "COMPLETED", owner: "first" },
        });
      });

      it("can be sent anew, under another token, after a write was refused", async () => {
        const [id, order] = [freshId(), randomUUID()];
        await under.store.claim(ask(id));
        await send(request(undefined, [put({ id: order })]));
        expect(await outcomeOf(send(request(fromClaim(id), [putNew({ id: order })])))).toBe("refused");
        expect(await outcomeOf(send(request(fromClaim(id), [count(order)])))).toBe("written");
        expect(await under.get(order)).toStrictEqual({ id: order, n: 1 });
      });

      it("never answers another request under a used token with success", async () => {
        const [id, order] = [freshId(), randomUUID()];
        await under.store.claim(ask(id));
        const sent = request(fromClaim(id), [count(order)]);
        await send(sent);
        const other = freshId();
        await under.store.claim(ask(other));
        await expect(send(request(fromClaim(other), [count(order)], sent.token))).rejects.toMatchObject({
          code: "store_failed",
        });
        expect(await under.store.read(other, { consistent: true })).toMatchObject({ status: "IN_PROGRESS" });
        expect(await under.get(order)).toStrictEqual({ id: order, n: 1 });
      });

      it.each([
        ["400 KB of text", "x".repeat(400 * 1024)],
        ["700 KB of bytes", new Uint8Array(700 * 1024)],
      ])("with a result of %s is too large, and writes nothing", async (_, data) => {
        const [id, order] = [freshId(), randomUUID()];
        await under.store.claim(ask(id));
        const answer = await send(request(fromClaim(id, { result: { encoding: "json", data } }), [count(order)]));
        expect(answer).toMatchObject({ outcome: "too_large", limit: 409_600 });
        expect(await under.store.read(id, { consistent: true })).toMatchObject({ status: "IN_PROGRESS" });
        expect(await under.get(order)).toBeUndefined();
      });

      it("carries 99 writes out", async () => {
        const [id, order] = [freshId(), randomUUID()];
        await under.store.claim(ask(id));
        const writes = Array.from({ length: 99 }, (_, n) => count(`${order}/${n}`));
        expect(await outcomeOf(send(request(fromClaim(id), writes)))).toBe("written");
        expect(await under.get(`${order}/98`)).toStrictEqual({ id: `${order}/98`, n: 1 });
      });

      it("carries all four kinds of actions out", async () => {
        const [id, order] = [freshId(), randomUUID()];
        await under.store.claim(ask(id));
        await send(request(undefined, [put({ id: `${order}/old` }), put({ id: `${order}/checked` })]));
        const actions: WriteAction[] = [
          put({ id: order, at: { deep: [1, "two", null, true] } }),
          count(`${order}/n`),
          { Delete: { TableName: under.table, Key: { id: `${order}/old` } } },
          {
            ConditionCheck: {
              TableName: under.table,
              Key: { id: `${order}/checked` },
              ConditionExpression: "attribute_exists(id)",
            },
          },
        ];
        expect(await outcomeOf(send(request(fromClaim(id), actions)))).toBe("written");
        expect(await under.get(order)).toStrictEqual({ id: order, at: { deep: [1, "two", null, true] } });
        expect(await under.get(`${order}/n`)).toStrictEqual({ id: `${order}/n`, n: 1 });
        expect(await under.get(`${order}/old`)).toBeUndefined();
      });
    });

    describe("that is the claim", () => {
      it("writes a completed record of the first attempt where nothing stands", async () => {
        const [id, order] = [freshId(), randomUUID()];
        expect(await outcomeOf(send(request(fromNothing(id), [count(order)])))).toBe("written");
        expect(await under.store.read(id, { consistent: true })).toStrictEqual({
          ...{ id, status: "COMPLETED", owner: "first", attempt: 1, fingerprint: "print" },
          createdAt: START,
          completedAt: START + 1_000,
          expiresAt: SECOND + 86_400,
          result: { encoding: "json", data: '{"ok":true}' },
        });
        expect(await under.get(order)).toStrictEqual({ id: order, n: 1 });
      });

      it.each([0, 1])("sent again with %d writes shows its own work or succeeds, and writes once", async (writes) => {
        const [id, order] = [freshId(), randomUUID()];
        const sent = request(fromNothing(id), writes === 0 ? [] : [count(order)]);
        await send(sent);
        expect(await send(sent)).toSatisfy(
          (answer: CommitAnswer) =>
            answer.outcome === "written" ||
            (answer.outcome === "conflict" && answer.found?.status === "COMPLETED" && answer.found.owner === "first"),
        );
        expect(await under.get(order)).toStrictEqual(writes === 0 ? undefined : { id: order, n: 1 });
      });

      it.each([
        ["a record in progress", (id: string) => running(id, { lockedUntil: START + 1_000 }), "conflict"],
        ["a lapsed lock that has not expired", (id: string) => running(id), "conflict"],
        ["a completed record", completed, "conflict"],
        ["an expired record", (id: string) => ({ ...completed(id), expiresAt: { N: String(SECOND) } }), "written"],
        [
          "an expired record whose lock holds",
          (id: string) => running(id, { lockedUntil: START + 1, expiresAt: SECOND - 60 }),
          "conflict",
        ],
      ])("meets %s", async (_, item, outcome) => {
        const [id, order] = [freshId(), randomUUID()];
        await under.seed(item(id));
        const before = await under.raw(id);
        expect(await outcomeOf(send(request(fromNothing(id, { owner: "second" }), [count(order)])))).toBe(outcome);
        if (outcome === "conflict") expect(await under.raw(id)).toStrictEqual(before);
        expect(await under.get(order)).toStrictEqual(outcome === "written" ? { id: order, n: 1 } : undefined);
      });

      it("says that a write was refused, not that it came late, where an expired record stands there", async () => {
        const [id, order] = [freshId(), randomUUID()];
        await under.seed({ ...completed(id), expiresAt: { N: String(SECOND - 1) } });
        await send(request(undefined, [put({ id: order })]));
        const answer = await send(request(fromNothing(id, { owner: "second" }), [putNew({ id: order })]));
        expect(answer).toMatchObject({ outcome: "refused", facts: [{ status: "refused", found: { id: order } }] });
      });

      it("of 20 racing ones has one winner, whose writes alone are carried out", async () => {
        const [id, order] = [freshId(), randomUUID()];
        const answers = await Promise.all(
          Array.from({ length: 20 }, (_, n) => send(request(fromNothing(id, { owner: `owner ${n}` }), [count(order)]))),
        );
        expect(answers.filter(({ outcome }) => outcome === "written")).toHaveLength(1);
        expect(answers.every(({ outcome }) => ["written", "conflict", "busy"].includes(outcome))).toBe(true);
        expect(await under.get(order)).toStrictEqual({ id: order, n: 1 });
      });

      it("keeps an error as a failed record", async () => {
        const id = freshId();
        await send(request(fromNothing(id, { status: "FAILED" }), []));
        expect(await under.store.read(id, { consistent: true })).toMatchObject({ status: "FAILED", attempt: 1 });
      });

      it("with a result that is too large writes nothing", async () => {
        const id = freshId();
        const result = { encoding: "json", data: "x".repeat(400 * 1024) };
        expect(await outcomeOf(send(request(fromNothing(id, { result }), [])))).toBe("too_large");
        expect(await under.raw(id)).toBeUndefined();
      });
    });

    describe("without a record", () => {
      it("carries the writes out, once for a request", async () => {
        const order = randomUUID();
        const sent = request(undefined, [count(order)]);
        expect(await outcomeOf(send(sent))).toBe("written");
        expect(await outcomeOf(send(sent))).toBe("written");
        expect(await under.get(order)).toStrictEqual({ id: order, n: 1 });
      });

      it("asks for nothing where there is nothing to do", async () => {
        expect(await send(request(undefined, []))).toStrictEqual({ outcome: "written" });
      });

      it("says what was refused", async () => {
        const order = randomUUID();
        await send(request(undefined, [count(order)]));
        expect(await send(request(undefined, [putNew({ id: order })]))).toStrictEqual({
          outcome: "refused",
          facts: [{ status: "refused", reason: "ConditionalCheckFailed", found: { id: order, n: 1 } }],
        });
      });
    });

    it("refuses values that no item can hold, before anything is sent", async () => {
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53 + 2, new Date(), new Set(), Symbol("x")]) {
        const [id, order] = [freshId(), randomUUID()];
        await under.store.claim(ask(id));
        const sent = send(request(fromClaim(id), [put({ id: order, value })]));
        await expect(sent).rejects.toMatchObject({ code: "config" });
        expect(await under.store.read(id, { consistent: true })).toMatchObject({ status: "IN_PROGRESS" });
        expect(await under.get(order)).toBeUndefined();
      }
    });

    it("brings natives back as they are", async () => {
      const order = randomUUID();
      const item = {
        ...{ id: order, text: "é𝄞", empty: "", zero: 0, negative: -1.5, yes: true, nothing: null },
        big: 12_345_678_901_234_567_890n,
        bytes: Uint8Array.of(0, 255),
        numbers: new Set([1, 2]),
        list: [{ a: 1 }, []],
        map: { __proto: 1, "a.b": {} },
      };
      await send(request(undefined, [put(item)]));
      expect(await under.get(order)).toStrictEqual(item);
    });

    it("does not expire by a clock: the expiry is the request's", async () => {
      const id = freshId();
      await send(request(fromNothing(id, { expiresAt: (SECOND + 1) as EpochSeconds }), []));
      expect(await under.raw(id)).toMatchObject({ expiresAt: { N: String(SECOND + 1) } });
    });
  });
}
