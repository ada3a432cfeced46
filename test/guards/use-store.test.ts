import { memoryStore } from "lambda-once";
import { firstWithin, issueToken } from "lambda-once/guards";
import { testingStore, useStore } from "lambda-once/testing";
import { expect, it } from "vitest";

it("a test that redirects all stores redirects those of guards and tokens, too", async () => {
  const baked = memoryStore();
  const testing = testingStore();
  const restore = useStore(testing);
  await firstWithin({ store: baked, operation: "mail" }, "m-1", { seconds: 10 });
  await issueToken({
    ...{ store: baked, operation: "order", principal: "cus-1", expiresAfter: { minutes: 1 } },
    secrets: ["a secret of 32 bytes, no less, really"],
  });
  restore();
  expect(baked.items.size).toBe(0);
  expect(testing.records().map(({ status }) => status)).toStrictEqual(["IN_PROGRESS", "ISSUED"]);
});
