import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Decision, decide, type Policies } from "../../src/core/decide.ts";
import type { Found, IdempotencyRecord } from "../../src/core/record.ts";
import { type EpochSeconds, epochMillis } from "../../src/core/time.ts";

const now = epochMillis(1_700_000_000_500);
const second = 1_700_000_000 as EpochSeconds;
const later = (second + 60) as EpochSeconds;
const policies: Policies = { whenCompleted: "replay", whenAbandoned: "rerun" };

const base = { id: "op#1", owner: "o1", attempt: 3, fingerprint: "f1", createdAt: epochMillis(1) };
const completed = {
  ...base,
  status: "COMPLETED",
  expiresAt: later,
  completedAt: now,
  result: { encoding: "json", data: "1" },
} as const;
const failed = { ...completed, status: "FAILED" } as const;
const released = { ...base, status: "RELEASED", expiresAt: later, steps: {} } as const;
const inProgress = {
  ...base,
  status: "IN_PROGRESS",
  expiresAt: later,
  lockedUntil: epochMillis(now + 1),
  steps: {},
} as const;
const lapsed = { ...inProgress, lockedUntil: now } as const;
const from = { owner: "o1", attempt: 3 };

const rows: readonly [name: string, found: Found, expected: Decision, policies?: Partial<Policies>][] = [
  ["nothing there: create", undefined, { do: "create" }],
  [
    "unreadable: refuse",
    { status: "UNREADABLE", id: "op#1", reason: "v is 99" },
    { do: "refuse", because: "record_corrupt", reason: "v is 99" },
  ],
  ["completed: replay", completed, { do: "replay", record: completed }],
  [
    "completed, to be rejected: duplicate",
    completed,
    { do: "refuse", because: "duplicate" },
    { whenCompleted: "reject" },
  ],
  ["failed: the same error again", failed, { do: "rethrow", record: failed }],
  [
    "failed, whatever whenCompleted says: the same error again",
    failed,
    { do: "rethrow", record: failed },
    { whenCompleted: "reject" },
  ],
  ["released: succeed it", released, { do: "succeed", from: { status: "RELEASED", ...from } }],
  ["locked until the next millisecond: yield", inProgress, { do: "yield", lockEndsIn: 1 }],
  ["locked until now: lapsed, take over", lapsed, { do: "succeed", from: { status: "IN_PROGRESS", ...from } }],
  [
    "lapsed, to be rejected: an operator decides",
    lapsed,
    { do: "refuse", because: "abandoned" },
    { whenAbandoned: "reject" },
  ],
  [
    "released, whatever whenAbandoned says",
    released,
    { do: "succeed", from: { status: "RELEASED", ...from } },
    { whenAbandoned: "reject" },
  ],
  [
    "lapsed without expiry: take over",
    { ...lapsed, expiresAt: undefined },
    { do: "succeed", from: { status: "IN_PROGRESS", ...from } },
  ],
  ["expires this second: absent", { ...completed, expiresAt: second }, { do: "create" }],
  [
    "expires next second: alive",
    { ...completed, expiresAt: (second + 1) as EpochSeconds },
    { do: "replay", record: { ...completed, expiresAt: (second + 1) as EpochSeconds } },
  ],
  ["released and expired: absent", { ...released, expiresAt: second }, { do: "create" }],
  ["lapsed and expired: absent", { ...lapsed, expiresAt: second }, { do: "create" }],
  ["expired, but locked: yield", { ...inProgress, expiresAt: second }, { do: "yield", lockEndsIn: 1 }],
];

describe("decide", () => {
  it.each(rows)("%s", (_, found, expected, more) => {
    expect(decide(found, "f1", now, { ...policies, ...more })).toEqual(expected);
  });

  it.each([completed, failed, released, inProgress, lapsed])(
    "refuses another fingerprint whatever the status: $status",
    (record) => {
      expect(decide(record, "f2", now, policies)).toEqual({ do: "refuse", because: "key_reused" });
    },
  );

  it("lets an expired record of another fingerprint go", () => {
    expect(decide({ ...completed, expiresAt: second }, "f2", now, policies)).toEqual({ do: "create" });
  });

  it("compares fingerprints only where both sides have one", () => {
    expect(decide(completed, undefined, now, policies).do).toBe("replay");
    expect(decide({ ...completed, fingerprint: undefined }, "f2", now, policies).do).toBe("replay");
  });

  const record: fc.Arbitrary<IdempotencyRecord> = fc
    .record({
      status: fc.constantFrom("COMPLETED", "FAILED", "RELEASED", "IN_PROGRESS"),
      expiresAt: fc.integer({ min: second - 3, max: second + 3 }),
      lockedUntil: fc.integer({ min: now - 2, max: now + 2 }),
      fingerprint: fc.constantFrom("f1", "f2", undefined),
      immortal: fc.boolean(),
    })
    .map(
      ({ immortal, ...made }) =>
        ({
          ...completed,
          ...inProgress,
          ...made,
          ...(immortal && made.status === "IN_PROGRESS" && { expiresAt: undefined }),
        }) as unknown as IdempotencyRecord,
    );

  it("never lets a request run while a lock is live", () => {
    fc.assert(
      fc.property(
        record,
        fc.constantFrom("f1", "f2", undefined),
        fc.constantFrom("rerun", "reject"),
        (found, fingerprint, whenAbandoned) => {
          const decision = decide(found, fingerprint, now, { ...policies, whenAbandoned });
          const locked = found.status === "IN_PROGRESS" && found.lockedUntil > now;
          if (locked) expect(["yield", "refuse"]).toContain(decision.do);
        },
      ),
    );
  });

  it("never answers from, or takes over, a record of another fingerprint", () => {
    fc.assert(
      fc.property(record, fc.constantFrom("f1", "f2"), (found, fingerprint) => {
        const decision = decide(found, fingerprint, now, policies);
        if (found.fingerprint !== undefined && found.fingerprint !== fingerprint) {
          expect(["create", "refuse"]).toContain(decision.do);
          if (decision.do === "create") expect(found.expiresAt).toBeLessThanOrEqual(second);
        }
      }),
    );
  });
});
