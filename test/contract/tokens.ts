import { describe, expect, it } from "vitest";
import type { ClaimRequest, IdempotencyStore, IssueRequest } from "../../src/core/store.ts";
import { type EpochSeconds, epochMillis } from "../../src/core/time.ts";
import type { Item } from "../../src/store/attributes.ts";
import { toItem } from "../../src/store/item.ts";
import { ask, completed, done, freshId, outcomeOf, released, running, SECOND, START } from "./requests.ts";
import type { StoreUnderTest } from "./store.ts";

const UNTIL = (SECOND + 900) as EpochSeconds;

const request = (id: string, more: Partial<IssueRequest> = {}): IssueRequest => ({
  id,
  owner: "issuer",
  now: epochMillis(START),
  expiresAt: UNTIL,
  ...more,
});

/** A token as it stands before it is redeemed. */
const token = (id: string, owner = "issuer") => ({
  id: { S: id },
  v: { N: "1" },
  status: { S: "ISSUED" },
  owner: { S: owner },
  attempt: { N: "0" },
  createdAt: { N: String(START) },
  expiresAt: { N: String(UNTIL) },
});

const redeem = (id: string, more: Partial<ClaimRequest> = {}): ClaimRequest => ask(id, { issued: true, ...more });

/** Tokens: issued where nothing stands, claimed only where they stand, and given back as they were. */
export function describeTokens({ store, seed, raw }: Omit<StoreUnderTest, "clock">): void {
  const issue = (given: IssueRequest) => (store.issue as NonNullable<IdempotencyStore["issue"]>)(given);

  describe("a token", () => {
    it("is issued where nothing stands, and its record says nothing but its end", async () => {
      const id = freshId();
      expect(await issue(request(id))).toStrictEqual({ outcome: "issued" });
      expect(await raw(id)).toStrictEqual(token(id));
      expect(await store.read(id, { consistent: true })).toMatchObject({ status: "ISSUED", attempt: 0 });
    });

    it("that is issued again shows the one that stands there, and changes nothing", async () => {
      const id = freshId();
      await issue(request(id));
      expect(await issue(request(id, { owner: "other", expiresAt: (UNTIL + 1) as EpochSeconds }))).toMatchObject({
        outcome: "conflict",
        found: { status: "ISSUED", owner: "issuer" },
      });
      expect(await raw(id)).toStrictEqual(token(id));
    });

    it("is redeemed to a claim of the first attempt, which keeps the time of its issue", async () => {
      const id = freshId();
      await issue(request(id));
      const now = epochMillis(START + 60_000);
      const times = { now, lockedUntil: epochMillis(START + 90_000), expiresAt: (SECOND + 200) as EpochSeconds };
      const record = {
        id,
        status: "IN_PROGRESS",
        owner: "first",
        attempt: 1,
        createdAt: START,
        lockedUntil: START + 90_000,
        expiresAt: SECOND + 200,
        fingerprint: "print",
        steps: {},
      };
      expect(await store.claim(redeem(id, times))).toStrictEqual({ outcome: "claimed", record });
      expect(await store.read(id, { consistent: true })).toStrictEqual(record);
    });

    it("is redeemed without an expiry and without a fingerprint where the operation has none", async () => {
      const id = freshId();
      await issue(request(id));
      const bare = redeem(id, { expiresAt: undefined, fingerprint: undefined });
      expect(await outcomeOf(store.claim(bare))).toBe("claimed");
      expect(Object.keys((await raw(id)) ?? {}).sort()).toStrictEqual(
        ["attempt", "createdAt", "id", "lockedUntil", "owner", "status", "steps", "v"].sort(),
      );
    });

    // Seen by a reviewer: redeeming overwrote what made them corrupt, and they ran.
    it.each<[string, Item]>([
      ["an end in milliseconds", { expiresAt: { N: String(START + 600_000) } }],
      ["an owner that is a number", { owner: { N: "7" } }],
      ["a time of creation that is text", { createdAt: { S: "x" } }],
      ["an attempt that is text", { attempt: { S: "0" } }],
    ])("with %s is shown as unreadable and left alone", async (_, corrupt) => {
      const id = freshId();
      await seed({ ...token(id), ...corrupt });
      const before = await raw(id);
      expect(await store.claim(redeem(id))).toMatchObject({ outcome: "conflict", found: { status: "UNREADABLE" } });
      expect(await raw(id)).toStrictEqual(before);
    });

    it("that was never issued is not made by redeeming it", async () => {
      const id = freshId();
      expect(await store.claim(redeem(id))).toStrictEqual({ outcome: "conflict", found: undefined });
      expect(await raw(id)).toBeUndefined();
    });

    it.each([
      ["a millisecond before its end", UNTIL * 1000 - 1, "claimed"],
      ["at its end", UNTIL * 1000, "conflict"],
      ["after its end", UNTIL * 1000 + 5_000, "conflict"],
    ])("that is redeemed %s: %s %s", async (_, now, outcome) => {
      const id = freshId();
      await issue(request(id));
      expect(await outcomeOf(store.claim(redeem(id, { now: epochMillis(now) })))).toBe(outcome);
      if (outcome === "conflict") expect(await raw(id)).toStrictEqual(token(id));
    });

    it("that was redeemed is not redeemed again: not while it is used, not after its lock, not after its use", async () => {
      const [used, lapsed, ended, expired] = [freshId(), freshId(), freshId(), freshId()];
      await issue(request(used));
      await store.claim(redeem(used));
      await seed(running(lapsed));
      await seed(completed(ended));
      await seed(running(expired, { expiresAt: SECOND - 60 }));
      for (const id of [used, lapsed, ended, expired]) {
        const before = await raw(id);
        expect(await outcomeOf(store.claim(redeem(id, { owner: "second" })))).toBe("conflict");
        expect(await raw(id)).toStrictEqual(before);
      }
    });

    it("whose redemption is sent again shows its own claim", async () => {
      const id = freshId();
      await issue(request(id));
      const first = await store.claim(redeem(id));
      expect(await store.claim(redeem(id))).toStrictEqual({
        outcome: "conflict",
        found: "record" in first && first.record,
      });
    });

    it("that was released with its steps is redeemed for the same request as the next attempt, and for no other", async () => {
      const id = freshId();
      await seed(released(id));
      const before = await raw(id);
      expect(await outcomeOf(store.claim(redeem(id, { owner: "second", fingerprint: "other" })))).toBe("conflict");
      expect(await raw(id)).toStrictEqual(before);
      expect(await store.claim(redeem(id, { owner: "second" }))).toMatchObject({
        outcome: "claimed",
        record: { attempt: 4, owner: "second", steps: { charge: { data: '"ch_1"' } } },
      });
    });

    it("that is given back is what it was, by the owner who gave it back", async () => {
      const id = freshId();
      await issue(request(id));
      await store.claim(redeem(id));
      await store.checkpoint({ id, owner: "first", name: "a", step: { encoding: "json", data: "1" } });
      const giving = { id, owner: "first", keepUntil: undefined, issuedUntil: UNTIL };
      expect(await store.release(giving)).toStrictEqual({ outcome: "released" });
      expect(await raw(id)).toStrictEqual(token(id, "first"));
      expect(await store.release(giving)).toMatchObject({
        outcome: "conflict",
        found: { status: "ISSUED", owner: "first" },
      });
      expect(await store.claim(redeem(id, { owner: "second", fingerprint: "other" }))).toMatchObject({
        outcome: "claimed",
        record: { attempt: 1, fingerprint: "other", steps: {} },
      });
    });

    it("that is given back with what is known of it is released, and not as if nothing had been", async () => {
      const id = freshId();
      await seed(running(id, { attempt: 2, lockedUntil: START + 30_000 }));
      await store.release({ id, owner: "first", keepUntil: UNTIL, issuedUntil: UNTIL });
      expect(await raw(id)).toMatchObject({
        status: { S: "RELEASED" },
        attempt: { N: "2" },
        steps: { M: { charge: {} } },
        expiresAt: { N: String(UNTIL) },
      });
    });

    it("is given back by its owner alone", async () => {
      const id = freshId();
      await issue(request(id));
      await store.claim(redeem(id));
      const before = await raw(id);
      expect(await outcomeOf(store.release({ id, owner: "issuer", keepUntil: undefined, issuedUntil: UNTIL }))).toBe(
        "conflict",
      );
      expect(await raw(id)).toStrictEqual(before);
      await store.complete(done(id));
      expect(await outcomeOf(store.release({ id, owner: "first", keepUntil: undefined, issuedUntil: UNTIL }))).toBe(
        "conflict",
      );
      expect(await store.read(id, { consistent: true })).toMatchObject({ status: "COMPLETED" });
    });

    it("is claimed by the one who has seen it, and not once another has", async () => {
      const id = freshId();
      await issue(request(id));
      const from = { status: "ISSUED", owner: "issuer", attempt: 0 } as const;
      expect(await store.claim(redeem(id, { from }))).toMatchObject({ outcome: "claimed", record: { attempt: 1 } });
      expect(await outcomeOf(store.claim(redeem(id, { from, owner: "second" })))).toBe("conflict");
    });

    it("is no vacant key: a claim that creates records is refused by it until its end", async () => {
      const id = freshId();
      await issue(request(id));
      expect(await store.claim(ask(id))).toMatchObject({ outcome: "conflict", found: { status: "ISSUED" } });
      expect(await outcomeOf(store.claim(ask(id, { now: epochMillis(UNTIL * 1000) })))).toBe("claimed");
    });

    it("is read and written as the same item", async () => {
      const id = freshId();
      await issue(request(id));
      const found = await store.read(id, { consistent: true });
      expect(found?.status === "ISSUED" && toItem(found)).toStrictEqual(token(id));
    });
  });
}
