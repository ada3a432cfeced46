/** What the simulation has found, in the small. The seeds are those of the harness as it was then. */
import { expect, test } from "vitest";
import { begin } from "../../src/core/begin.ts";
import { IdempotencyStoreError } from "../../src/core/errors.ts";
import { engineUnderTest } from "../support/engine.ts";
import { lateMark } from "./late-mark.ts";
import { tablesOf } from "./server.ts";

const request = { id: "op#k", fingerprint: undefined, remaining: 10_000, lookFirst: false };

test("a call that was frozen while it waited takes no older look for a lapsed lock (I12, seed 246)", async () => {
  const under = engineUnderTest({ policies: { whenCompleted: "replay", whenAbandoned: "reject" }, patience: 60_000 });
  const running = await begin(under.engine, request);
  if (running.status !== "claimed") throw new Error(running.status);
  under.next("read", async (id, options) => {
    const found = await under.store.read(id, options);
    await running.claim.returned("done");
    under.time.advance(20_000);
    return found;
  });
  const waited = await begin(under.engine, { ...request, remaining: undefined });
  expect(waited).toMatchObject({ status: "replayed", result: "done" });
});

test("a step's start mark that comes late leaves its result alone, in memory (I7, seed 845)", async () => {
  const { store } = engineUnderTest();
  expect(await lateMark(store)).toEqual({ outcome: "conflict", step: { encoding: "json", data: '"charged"' } });
});

test("a refused commit that may still arrive is not told as one that wrote nothing, where no claim holds (I1)", async () => {
  const under = engineUnderTest({ claimAt: "commit" }, undefined, tablesOf());
  const begun = await begin(under.engine, request);
  if (begun.status !== "claimed") throw new Error(begun.status);
  begun.claim.write([{ Put: { TableName: "rows", Item: { id: "1" } } }]);
  under.next(
    "commit",
    () => Promise.reject(new IdempotencyStoreError({ reason: "timeout", detail: "injected" })),
    async () => ({ outcome: "refused", facts: [{ status: "refused", reason: "ConditionalCheckFailed", found: {} }] }),
  );
  await expect(begun.claim.returned("done")).rejects.toMatchObject({ code: "store_failed", outcome: "unknown" });
});
