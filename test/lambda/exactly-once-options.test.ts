import { describe, expect, it } from "vitest";
import { idempotentBatch } from "../../src/batch.ts";
import { idempotent, memoryStore } from "../../src/index.ts";
import { idempotency } from "../../src/middy.ts";
import { memoryTables } from "../../src/testing.ts";

const store = memoryStore({ tables: memoryTables({ orders: { key: ["id"] } }) });
const given = { store, operation: "place", key: "id" };
const fn = async (_: { readonly id: string }) => "done";

const FRONT_ENDS: readonly (readonly [string, (options: object) => unknown])[] = [
  ["the wrapper", (options) => idempotent(fn, options as never)],
  ["the decorator", (options) => idempotent(options as never)],
  ["the middleware", (options) => idempotency(options as never)],
  ["the batch", (options) => idempotentBatch(async () => "done", options as never)],
];

describe.each(FRONT_ENDS)("%s", (_, make) => {
  it.each([
    [{ whenInProgress: "wait" }, "whenInProgress is given with claimAt 'commit', which takes no lock"],
    [{ whenInProgress: { wait: { seconds: 1 } } }, "whenInProgress is given with claimAt 'commit'"],
    [{ whenAbandoned: "reject" }, "whenAbandoned is given with claimAt 'commit'"],
    [{ whenAbandoned: "rerun" }, "whenAbandoned is given with claimAt 'commit'"],
    [{ lockFor: { seconds: 30 } }, "lockFor is given with claimAt 'commit'"],
    [{ lockMargin: { seconds: 30 } }, "lockMargin is given with claimAt 'commit'"],
  ])("refuses %j with claimAt 'commit'", (option, message) => {
    expect(() => make({ ...given, claimAt: "commit", ...option })).toThrow(
      expect.objectContaining({ code: "config", message: expect.stringContaining(message) }),
    );
    expect(() => make({ ...given, claimAt: "start", ...option })).not.toThrow();
    expect(() => make({ ...given, ...option })).not.toThrow();
  });

  it.each([
    { whenInProgress: "reject" },
    { whenInProgress: undefined, lockFor: undefined, whenAbandoned: undefined },
    { whenCompleted: "reject" },
    { deadlineMargin: { seconds: 1 } },
    { expiresAfter: { days: 1 }, lookup: "first" },
  ])("takes %j with claimAt 'commit'", (option) => {
    expect(() => make({ ...given, claimAt: "commit", ...option })).not.toThrow();
  });

  it.each([
    ["claimAt", "Commit", "claimAt is 'Commit'; allowed are 'start', 'commit'"],
    ["claimAt", null, "claimAt is null; allowed are 'start', 'commit'"],
    ["whenInProgress", null, "whenInProgress is null; allowed are 'reject', 'wait', { wait: duration }"],
    ["whenInProgress", true, "whenInProgress is true; allowed are"],
    ["whenInProgress", {}, "whenInProgress is an object; allowed are"],
    ["whenInProgress", { wait: { seconds: 1 }, poll: 1 }, "whenInProgress is an object; allowed are"],
    ["whenInProgress", { wait: 5 }, "whenInProgress.wait is 5; allowed is { days, hours, minutes, seconds }"],
    ["whenInProgress", { wait: { seconds: 0 } }, "whenInProgress.wait is { seconds: 0 }; allowed is"],
    ["whenInProgress", { wait: { seconds: -1 } }, "whenInProgress.wait is { seconds: -1 }; allowed is"],
    ["whenInProgress", { wait: undefined }, "whenInProgress.wait is undefined; allowed is"],
  ])("refuses %s: %j", (option, value, message) => {
    expect(() => make({ ...given, [option]: value })).toThrow(
      expect.objectContaining({ code: "config", message: expect.stringContaining(message) }),
    );
  });
});
