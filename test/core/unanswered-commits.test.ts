import { describe, expect, it } from "vitest";
import type { CommitRequest, IdempotencyStore } from "../../src/core/store.ts";
import type { WriteAction } from "../../src/core/write.ts";
import { bench, busy, count, failing, hanging, settle, thrownBy } from "../support/claims.ts";

const lapse = 35_000;
type Commit = NonNullable<IdempotencyStore["commit"]>;

describe("a commit that is not answered", () => {
  it("is sent again with the same bytes under the same token, and is carried out once", async () => {
    const under = bench();
    const claim = await under.claim();
    const sent: CommitRequest[] = [];
    const lost: Commit = async (request) => {
      sent.push(request);
      await under.store.commit?.(request);
      return failing("timeout")();
    };
    under.next("commit", lost, (request) => {
      sent.push(request);
      return (under.store.commit as Commit)(request);
    });
    claim.write([count("o-1")]);
    expect(await claim.returned("done")).toMatchObject({ status: "executed", kept: true });
    expect(sent[1]).toBe(sent[0]);
    expect(sent[0]?.token).toBe("owner-1");
    expect(under.tables.items("orders")).toStrictEqual([{ id: "o-1", n: 1 }]);
  });

  it("is success where the record shows it, completed by my owner", async () => {
    const under = bench();
    const claim = await under.claim();
    under.next("commit", async (request) => {
      await under.store.commit?.(request);
      return failing("access_denied", "unknown")();
    });
    claim.write([count("o-1")]);
    expect(await claim.returned("done")).toMatchObject({ status: "executed", result: "done" });
    expect(under.asked).toStrictEqual(["claim", "commit", "read"]);
    expect(under.turns()).toStrictEqual(["claimed", "completed"]);
  });

  it("is success where it is refused by its own work, beyond the ten minutes of its token", async () => {
    const under = bench();
    const claim = await under.claim();
    under.next("commit", async (request) => {
      await under.store.commit?.(request);
      return { outcome: "conflict", found: await under.store.read("op#1", { consistent: true }) };
    });
    claim.write([count("o-1")]);
    expect(await claim.returned("done")).toMatchObject({ status: "executed", kept: true });
    expect(under.turns()).toStrictEqual(["claimed", "completed"]);
  });

  it.each(["another call holds it", "it is gone"])(
    "is known not to have been carried out where the record says that %s",
    async (what) => {
      const under = bench();
      const claim = await under.claim();
      claim.write([count("o-1")]);
      under.next("commit", ...Array(7).fill(failing("timeout")), async () => {
        if (what === "it is gone") under.store.items.clear();
        else {
          under.time.skew(60_000);
          await under.claim();
        }
        return failing("timeout")();
      });
      expect(await thrownBy(claim.returned("done"))).toMatchObject({ code: "claim_lost" });
    },
  );

  it("is never reported as done where nobody knows; the key stays held, and the next attempt sees what is true", async () => {
    const under = bench();
    const claim = await under.claim();
    claim.write([count("o-1")]);
    under.next("commit", ...Array(8).fill(failing("timeout")));
    expect(await thrownBy(claim.returned("done"))).toMatchObject({
      ...{ code: "store_failed", outcome: "unknown", statusCode: 503 },
    });
    expect(under.asked.filter((verb) => verb === "commit")).toHaveLength(8);
    expect(under.turns()).toStrictEqual(["claimed", "held"]);
    expect(await under.found()).toMatchObject({ status: "IN_PROGRESS", owner: "owner-1" });
    under.time.advance(lapse);
    expect((await under.claim()).attempt).toBe(2);
  });

  it("that arrives late, after another call has taken over, writes nothing", async () => {
    const under = bench();
    const first = await under.claim();
    let late: CommitRequest | undefined;
    under.next(
      "commit",
      (request) => {
        late = request;
        return failing("timeout")();
      },
      ...Array(7).fill(failing("timeout")),
    );
    first.write([count("o-1")]);
    await thrownBy(first.returned("first"));
    under.time.advance(lapse);
    const second = await under.claim();
    expect(await under.store.commit?.(late as CommitRequest)).toMatchObject({ outcome: "conflict" });
    second.write([count("o-1")]);
    await second.returned("second");
    expect(await under.store.commit?.(late as CommitRequest)).toMatchObject({ outcome: "conflict" });
    expect(under.tables.items("orders")).toStrictEqual([{ id: "o-1", n: 1 }]);
  });

  it("and whose record cannot be read either is unknown", async () => {
    const under = bench();
    const claim = await under.claim();
    claim.write([count("o-1")]);
    under.next("commit", ...Array(8).fill(failing("timeout")));
    under.next("read", ...Array(4).fill(failing("unavailable")));
    expect(await thrownBy(claim.returned("done"))).toMatchObject({ outcome: "unknown" });
    expect(under.asked.filter((verb) => verb === "read")).toHaveLength(4);
  });

  it.each(["access_denied", "missing_table", "invalid_request", "credentials"] as const)(
    "because of %s was not carried out: the key is given back",
    async (reason) => {
      const under = bench();
      const claim = await under.claim();
      claim.write([count("o-1")]);
      under.next("commit", failing(reason));
      expect(await thrownBy(claim.returned("done"))).toMatchObject({ code: "store_failed", reason, outcome: "known" });
      expect(await under.found()).toBeUndefined();
    },
  );

  // Seen in review: the client's own second attempt was refused, its first one had been carried out.
  it("because of a refusal, after the client had sent it before, may have been carried out", async () => {
    const under = bench();
    const claim = await under.claim();
    claim.write([count("o-1")]);
    const refusedAt = (attempts: number) => async () => {
      const { IdempotencyStoreError } = await import("../../src/core/errors.ts");
      const cause = Object.assign(new Error("injected"), { $metadata: { attempts } });
      throw new IdempotencyStoreError({ reason: "access_denied", detail: "injected", cause });
    };
    under.next("commit", refusedAt(2));
    expect(await thrownBy(claim.returned("done"))).toMatchObject({ outcome: "unknown", reason: "access_denied" });
    const other = await under.claim({ id: "op#2" });
    other.write([count("o-1")]);
    under.next("commit", refusedAt(1));
    expect(await thrownBy(other.returned("done"))).toMatchObject({ outcome: "known" });
  });

  // Seen in review: the client's own first try had no answer, its second one was refused, and the first one arrived after that.
  it.each(["refused", "busy"])(
    "is unknown where the client's later try is %s: an earlier one may arrive",
    async (how) => {
      const under = bench({ claimAt: "commit" });
      under.tables.put("orders", { id: "o-1", state: "closed" });
      const claim = await under.claim();
      const close: WriteAction = {
        Update: {
          TableName: "orders",
          Key: { id: "o-1" },
          UpdateExpression: "SET #state = :paid",
          ConditionExpression: "#state = :open",
          ExpressionAttributeNames: { "#state": "state" },
          ExpressionAttributeValues: { ":open": "open", ":paid": "paid" },
        },
      };
      claim.write([close]);
      let late: CommitRequest | undefined;
      under.next("commit", async (request) => {
        late = request;
        const answer = await (under.store.commit as Commit)(request);
        return how === "refused" ? ({ ...answer, resent: true } as typeof answer) : { outcome: "busy", resent: true };
      });
      expect(await thrownBy(claim.returned("done"))).toMatchObject({ code: "store_failed", outcome: "unknown" });
      under.tables.put("orders", { id: "o-1", state: "open" });
      expect(await under.store.commit?.(late as CommitRequest)).toMatchObject({ outcome: "written" });
    },
  );

  it("by a store that is busy for ever ends, known, and gives the key back", async () => {
    const under = bench();
    const claim = await under.claim();
    claim.write([count("o-1")]);
    under.next("commit", ...Array(100).fill(busy));
    expect(await thrownBy(claim.returned("done"))).toMatchObject({ reason: "throttled", outcome: "known" });
    expect(under.asked.filter((verb) => verb === "commit")).toHaveLength(8);
    expect(await under.found()).toBeUndefined();
  });

  it("is outlasted where the record is busy or the store throttled for a moment", async () => {
    const under = bench();
    const claim = await under.claim();
    claim.write([count("o-1")]);
    under.next("commit", busy, failing("throttled"), busy, failing("throttled"), busy, busy, failing("throttled"));
    expect(await claim.returned("done")).toMatchObject({ kept: true });
    expect(under.tables.items("orders")).toStrictEqual([{ id: "o-1", n: 1 }]);
  });

  it("hangs no longer than half of the time that is left, and is asked again", async () => {
    const under = bench();
    const claim = await under.claim();
    claim.write([count("o-1")]);
    under.time.advance(20_000);
    under.next("commit", hanging);
    const ending = claim.returned("done");
    await settle();
    under.time.advance(4_950);
    expect(await ending).toMatchObject({ status: "executed", kept: true });
    expect(under.tables.items("orders")).toStrictEqual([{ id: "o-1", n: 1 }]);
  });

  it("and a store whose clock jumps back or forth does not make a late owner an owner", async () => {
    const under = bench();
    const first = await under.claim();
    first.write([count("o-1")]);
    under.time.skew(3_600_000);
    const second = await under.claim();
    under.time.skew(-7_200_000);
    expect(await thrownBy(first.returned("first"))).toMatchObject({ code: "claim_lost" });
    second.write([count("o-1")]);
    expect(await second.returned("second")).toMatchObject({ kept: true });
    expect(under.tables.items("orders")).toStrictEqual([{ id: "o-1", n: 1 }]);
  });
});
