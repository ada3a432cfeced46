import type { SQSRecord } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { failuresIn } from "../../../infra/local/queue.ts";

const records = ["one", "two"].map((messageId) => ({ messageId }) as SQSRecord);
const failures = (result: unknown, partial = true) => [
  ...failuresIn({ status: "ok", requestId: "r", payload: JSON.stringify(result) }, records, partial),
];

describe("what stays in the queue", () => {
  it.each([
    ["nothing", null],
    ["an empty object", {}],
    ["no list", { batchItemFailures: null }],
    ["an empty list", { batchItemFailures: [] }],
  ])("is nothing after %s", (_, result) => {
    expect(failures(result)).toEqual([]);
  });

  it.each([
    ["text", "fine"],
    ["a list that is none", { batchItemFailures: "one" }],
    ["an id that is not in the batch", { batchItemFailures: [{ itemIdentifier: "three" }] }],
    ["an empty id", { batchItemFailures: [{ itemIdentifier: "" }] }],
    ["an id that is null", { batchItemFailures: [{ itemIdentifier: null }] }],
    ["a misspelt name", { batchItemFailures: [{ id: "one" }] }],
  ])("is the whole batch after %s", (_, result) => {
    expect(failures(result)).toEqual(["one", "two"]);
  });

  it("is what the function names", () => {
    expect(failures({ batchItemFailures: [{ itemIdentifier: "two" }] })).toEqual(["two"]);
  });

  it("is nothing where the mapping does not ask for partial responses, and all after an error", () => {
    expect(failures({ batchItemFailures: [{ itemIdentifier: "two" }] }, false)).toEqual([]);
    const error = { errorType: "Error", errorMessage: "no" };
    expect([...failuresIn({ status: "timeout", requestId: "r", error }, records, false)]).toEqual(["one", "two"]);
  });
});
