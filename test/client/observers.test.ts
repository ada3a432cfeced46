import { afterEach, beforeEach, expect, it } from "vitest";
import { idempotentFetch } from "../../src/client.ts";
import { publishOutbox } from "../../src/writes.ts";

const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);
let before: NodeJS.UnhandledRejectionListener[] = [];
beforeEach(() => {
  unhandled.length = 0;
  before = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", note);
});
afterEach(() => {
  process.removeAllListeners("unhandledRejection");
  for (const one of before) process.on("unhandledRejection", one);
});

const fails = async () => {
  throw new Error("no metrics");
};
/** Node.js tells of unhandled rejections when the microtasks are done. */
const told = () => new Promise((resolve) => setImmediate(resolve));

// Seen by a reviewer: the rejection of an observer ended the process.
it("onRetry may be async and fail", async () => {
  let sent = 0;
  const fetch = async () => new Response(null, { status: sent++ === 0 ? 503 : 200 });
  const call = idempotentFetch({ fetch, backoff: 1, onRetry: fails });
  expect((await call("https://x.example/", { method: "POST" })).status).toBe(200);
  await told();
  expect(unhandled).toStrictEqual([]);
});

it("onError may be async and fail", async () => {
  const publish = publishOutbox({ send: fails, onError: fails });
  const NewImage = { outbox: { S: '{"id":"a","type":"T","time":1}' } };
  const Keys = { id: { S: "lambda-once:event#a" } };
  await publish({ Records: [{ eventName: "INSERT", dynamodb: { SequenceNumber: "1", Keys, NewImage } }] });
  await told();
  expect(unhandled).toStrictEqual([]);
});
