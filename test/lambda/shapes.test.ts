import { setFlagsFromString } from "node:v8";
import { expect, it } from "vitest";
import { currentClaim, type IdempotencyRecord, idempotent, memoryStore } from "../../src/index.ts";
import { fromItem, toItem } from "../../src/store/item.ts";

setFlagsFromString("--allow-natives-syntax");
const isFast = new Function("one", "return %HasFastProperties(one)") as (one: object) => boolean;
const areAlike = new Function("one", "other", "return %HaveSameMap(one, other)") as (
  one: object,
  other: object,
) => boolean;

/** Calls enough for V8 to have settled what it knows of the code. */
const CALLS = 500;

// An object of another kind for each call is dear to make, and what it holds is collected by full collections only.
it("claims are objects of one kind to V8", async () => {
  const claims: object[] = [];
  const options = { store: memoryStore(), operation: "look", key: "id" } as const;
  const look = idempotent(async (_: { id: string }) => void claims.push(currentClaim()), options);
  for (let call = 0; call < CALLS; call++) await look({ id: String(call) });
  const [one, other] = claims.slice(-2) as [object, object];
  expect([isFast(one), areAlike(one, other)]).toStrictEqual([true, true]);
});

it("so are those that hold nothing, and what steps are told", async () => {
  const seen: object[] = [];
  const options = { store: memoryStore(), operation: "look", key: "id", whenKeyMissing: "run" } as const;
  const look = idempotent(async (_: { id?: string }) => void seen.push(currentClaim()), options);
  const told: object[] = [];
  const step = async (id: string) => currentClaim().step(id, (about) => void told.push(about));
  const walk = idempotent(async ({ id }: { id: string }) => void (await step(id)), { ...options, operation: "walk" });
  for (let call = 0; call < CALLS; call++) {
    await look({});
    await walk({ id: String(call) });
  }
  for (const all of [seen, told]) {
    const [one, other] = all.slice(-2) as [object, object];
    expect([isFast(one), areAlike(one, other)]).toStrictEqual([true, true]);
  }
});

it.each(["IN_PROGRESS", "COMPLETED", "FAILED", "RELEASED", "ISSUED"] as const)(
  "so are records that are %s",
  (status) => {
    const common = { id: "look#1", owner: "me", attempt: status === "ISSUED" ? 0 : 1, createdAt: 1_750_000_000_000 };
    const times = { lockedUntil: 1_750_000_060_000, expiresAt: 1_750_086_400, completedAt: 1_750_000_000_001 };
    const result = { encoding: "json", data: "{}" };
    const parts = {
      IN_PROGRESS: { lockedUntil: times.lockedUntil, steps: {} },
      COMPLETED: { completedAt: times.completedAt, result },
      FAILED: { completedAt: times.completedAt, result },
      RELEASED: { steps: {} },
      ISSUED: {},
    };
    const record = { ...common, status, fingerprint: undefined, expiresAt: times.expiresAt, ...parts[status] };
    const item = toItem(record as unknown as IdempotencyRecord);
    const read = Array.from({ length: CALLS }, () => fromItem(item, "look#1") as object);
    const [one, other] = read.slice(-2) as [object, object];
    expect(one).toStrictEqual(record);
    expect([isFast(one), areAlike(one, other)]).toStrictEqual([true, true]);
  },
);
