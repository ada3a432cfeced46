import { describe, expect, it } from "vitest";
import { turnsOf } from "../../../infra/local/turns.ts";
import { claimFrom, redeem, reissue } from "../../../src/store/requests.ts";
import { ask } from "../../contract/requests.ts";

const claim = { Item: { id: { S: "order#1" }, status: { S: "IN_PROGRESS" }, fingerprint: { S: "f" } } };
const record = (status: string, fingerprint = "f") => ({
  Item: { id: { S: "order#1" }, status: { S: status }, fingerprint: { S: fingerprint } },
});
const call = (operation: string, status: number, input: object, output: object = {}) => ({
  operation,
  requestId: "r",
  input: input as Record<string, unknown>,
  output: output as Record<string, unknown>,
  status,
});
const key = { Key: { id: { S: "order#1" } } };
/** The requests as the store sends them. */
const succession = (status: "IN_PROGRESS" | "RELEASED") =>
  claimFrom("records", ask("order#1"), { status, owner: "first", attempt: 1 });
const redemption = redeem("records", ask("order#1", { fingerprint: "f" }));
const givenBack = reissue("records", { id: "order#1", owner: "first", keepUntil: undefined }, 9 as never);
const attempt = (number: string) => ({ Attributes: { attempt: { N: number } } });

describe("what became of a key", () => {
  it.each([
    ["ran", [call("PutItem", 200, claim), call("UpdateItem", 200, key)]],
    ["ran", [call("PutItem", 0, claim)]],
    ["replayed", [call("PutItem", 400, claim, record("COMPLETED"))]],
    ["replayed", [call("GetItem", 200, key, record("COMPLETED"))]],
    ["refused", [call("PutItem", 400, claim, record("COMPLETED", "other"))]],
    ["refused", [call("PutItem", 400, claim, record("IN_PROGRESS"))]],
    ["replayed", [call("PutItem", 400, claim, record("IN_PROGRESS")), call("GetItem", 200, key, record("COMPLETED"))]],
    [
      "took over",
      [call("PutItem", 400, claim, record("IN_PROGRESS")), call("UpdateItem", 200, succession("IN_PROGRESS"))],
    ],
    ["ran", [call("UpdateItem", 200, redemption, attempt("1")), call("UpdateItem", 200, givenBack)]],
    ["ran again", [call("UpdateItem", 200, redemption, attempt("2"))]],
    ["replayed", [call("UpdateItem", 400, redemption, record("COMPLETED"))]],
    ["refused", [call("UpdateItem", 400, redemption, record("COMPLETED", "other"))]],
    ["refused", [call("UpdateItem", 400, redemption, record("IN_PROGRESS"))]],
    ["refused", [call("UpdateItem", 400, redemption)]],
    ["ran", [call("UpdateItem", 0, redemption), call("UpdateItem", 400, redemption, record("IN_PROGRESS"))]],
    ["ran again", [call("PutItem", 400, claim, record("RELEASED")), call("UpdateItem", 200, succession("RELEASED"))]],
  ])("is %j", (turn, calls) => {
    expect(turnsOf(calls)).toEqual([turn]);
  });

  it("is told for each key of a batch, and not for tables that hold no records", () => {
    const other = { Item: { ...claim.Item, id: { S: "order#2" } } };
    const ledger = { Item: { reference: { S: "r" } } };
    expect(turnsOf([call("PutItem", 200, claim), call("PutItem", 200, other), call("PutItem", 200, ledger)])).toEqual([
      "ran",
      "ran",
    ]);
  });
});
