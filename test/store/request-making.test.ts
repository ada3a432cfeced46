import { expect, it } from "vitest";
import { dynamoDBStore } from "../../src/store/dynamodb.ts";

const store = dynamoDBStore({ tableName: "orders", client: { send: async () => ({}) } });

/** What cannot be read any more when the request is put together. */
const gone = new Proxy(
  {},
  {
    get() {
      throw new TypeError("detached");
    },
  },
);

// seen by a reviewer: what was put together outside of the `try` was no failure of the store any more, and some threw at once
it.each([
  ["checkpoint", () => store.checkpoint({ id: "a", owner: "me", name: "step", step: gone } as never)],
  ["claim", () => store.claim({ id: "a", owner: "me", now: 1, lockedUntil: 2, expiresAt: 3, from: gone } as never)],
  ["redemption", () => store.claim({ id: "a", owner: "me", now: 1, lockedUntil: gone, issued: true } as never)],
  ["renewal", () => store.renew({ id: "a", owner: "me", lockedUntil: gone } as never)],
])("a %s that cannot be put together is a failure of the store", async (_, ask) => {
  const asked = ask();
  await expect(asked).rejects.toMatchObject({
    code: "store_failed",
    reason: "unavailable",
    action: "dynamodb:UpdateItem",
    table: "orders",
  });
});
