import { randomUUID } from "node:crypto";
import { expect, it } from "vitest";
import { dynamoDBStore } from "../../src/dynamodb.ts";
import { firstWithin, window } from "../../src/guards.ts";
import { START } from "../contract/requests.ts";
import { handClock } from "../contract/store.ts";
import { localDynamoDB } from "../support/dynamodb.ts";
import { type Fault, faultyClient, lostResponse, none } from "../support/dynamodb-faults.ts";

const local = await localDynamoDB();
const tableName = await local.createTable();
const operation = "resend-mail";

/** Calls of one key, at a time that the test sets. `at`: seconds after START and a millisecond. */
function guard(faults: readonly Fault[] = [], key: string = randomUUID()) {
  const clock = handClock(START + 1);
  const { client, sent } = faultyClient(local, faults);
  const store = dynamoDBStore({ tableName, client, clock });
  const outcome = async (): Promise<string> => (await firstWithin({ store, operation }, key, { seconds: 10 })).outcome;
  return { store, sent, outcome, at: (seconds: number) => clock.set(START + 1 + seconds * 1000) };
}

it("costs one request for the first call and for a duplicate, two where the item is a moment over its window", async () => {
  const { at, sent, outcome } = guard();
  expect([await outcome(), await outcome()]).toStrictEqual(["first", "duplicate"]);
  expect(sent).toStrictEqual(["PutItem", "PutItem"]);
  at(10);
  expect([await outcome(), await outcome()]).toStrictEqual(["first", "duplicate"]);
  expect(sent.slice(2)).toStrictEqual(["PutItem", "UpdateItem", "PutItem"]);
  at(21);
  expect(await outcome()).toBe("first");
  expect(sent.slice(5)).toStrictEqual(["PutItem"]);
});

it("lets exactly one of 50 calls at once pass, before, in the last second of, and after a window", async () => {
  const { at, outcome } = guard();
  for (const seconds of [0, 10, 21]) {
    at(seconds);
    const outcomes = await Promise.all(Array.from({ length: 50 }, outcome));
    expect(outcomes.filter((one) => one === "first")).toHaveLength(1);
  }
});

it("knows its own write where the response was lost", async () => {
  const { sent, outcome } = guard([lostResponse]);
  expect(await outcome()).toBe("first");
  expect(sent).toStrictEqual(["PutItem", "PutItem"]);
  expect(await outcome()).toBe("duplicate");
});

it("knows its own takeover where the response was lost", async () => {
  const key = randomUUID();
  await guard([], key).outcome();
  const { at, sent, outcome } = guard([none, lostResponse], key);
  at(10);
  expect([await outcome(), await outcome()]).toStrictEqual(["first", "duplicate"]);
  expect(sent).toStrictEqual(["PutItem", "UpdateItem", "UpdateItem", "PutItem"]);
});

it("runs a schedule once per hour, however often its event comes", async () => {
  const { store } = guard();
  const hourly = window({ hours: 1 });
  const job = randomUUID();
  const runs: string[] = [];
  const scheduled = async (event: { readonly time: string }): Promise<void> => {
    const { outcome } = await firstWithin({ store, operation }, [job, hourly(event.time)], { hours: 2 });
    if (outcome === "first") runs.push(event.time);
  };
  for (const time of ["2026-11-07T09:00:00Z", "2026-11-07T09:00:00Z", "2026-11-07T09:00:41Z", "2026-11-07T10:00:00Z"]) {
    await scheduled({ time });
  }
  expect(runs).toStrictEqual(["2026-11-07T09:00:00Z", "2026-11-07T10:00:00Z"]);
});
