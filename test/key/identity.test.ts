import { describe, expect, it } from "vitest";
import { IdempotencyConfigError, IdempotencyDuplicateError } from "../../src/core/errors.ts";
import { IdempotencyKeyMissingError, IdempotencyPrincipalMissingError } from "../../src/core/refusals.ts";
import { compilePart, partText, type Selector } from "../../src/key/identity.ts";

function caught(act: () => unknown): Error {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

const keyError = (source: Selector, ...args: unknown[]): Error => {
  const error = caught(() => compilePart(source, "key")(args));
  expect(error).toBeInstanceOf(IdempotencyKeyMissingError);
  return error;
};

describe("compilePart", () => {
  it("reads an expression over the first argument and a function over all", () => {
    expect(compilePart("[tenant, orderId]", "key")([{ tenant: "t", orderId: 7 }, "context"])).toBe('["t",7]');
    expect(compilePart((a: number, b: string) => ({ b, a }), "key")([1, "x"])).toBe('{"a":1,"b":"x"}');
  });

  it("takes 0 and false for keys (P15)", () => {
    expect(compilePart("id", "key")([{ id: 0 }])).toBe("0");
    expect(compilePart("id", "key")([{ id: false }])).toBe("false");
    expect(compilePart((id: unknown) => id, "key")([0])).toBe("0");
    expect(compilePart((id: unknown) => [id, false], "key")([0])).toBe("[0,false]");
  });

  it("tells payloads apart that differ only in __proto__ (P13), and not those in another order (P12)", () => {
    const key = compilePart("@", "key");
    expect(key([JSON.parse('{"a":1,"__proto__":{"x":1}}')])).not.toBe(key([JSON.parse('{"a":1}')]));
    expect(key([{ a: 1, A: 2 }])).toBe(key([{ A: 2, a: 1 }]));
  });

  it("refuses a key with a part missing, and names the part (P14; bad input: [tenant, orderId] with one part missing)", () => {
    expect(keyError("[tenant, orderId]", { orderId: 1 })).toMatchObject({
      reason: "missing",
      message: expect.stringContaining("`tenant`"),
    });
    expect(keyError("body.orderId", { body: "{}" })).toMatchObject({
      reason: "unreadable",
      message: expect.stringContaining("write `json(body).orderId`"),
    });
    for (const nothing of [undefined, null, ""]) {
      expect(keyError(() => nothing)).toMatchObject({ reason: "missing" });
      expect(keyError(() => [nothing, 1])).toMatchObject({
        reason: "missing",
        message: expect.stringContaining("part 0"),
      });
      expect(keyError(() => ({ tenant: nothing, id: 1 }))).toMatchObject({
        reason: "missing",
        message: expect.stringContaining("'tenant'"),
      });
    }
    expect(keyError(() => [1, , 2])).toMatchObject({ reason: "missing" });
    expect(compilePart(() => [[null], { a: "" }], "key")([])).toBe('[[null],{"a":""}]');
  });

  it("calls a key unreadable that cannot be read, and quotes nothing of it (bad input: body not JSON where the key reads it)", () => {
    expect(keyError("json(body).id", { body: "4111 no JSON" })).toMatchObject({
      reason: "unreadable",
      message: expect.not.stringContaining("4111"),
    });
    expect(keyError("items", { items: [1, { at: new Date(0) }] })).toMatchObject({
      reason: "unreadable",
      message: expect.stringContaining("an instance of Date is not a JSON value at $[1].at of the key"),
    });
    expect(keyError(() => Number.NaN)).toMatchObject({ reason: "unreadable" });
    expect(
      keyError(() => ({
        get id() {
          throw new Error("4111");
        },
      })),
    ).toMatchObject({ reason: "unreadable", message: expect.not.stringContaining("4111") });
  });

  it("keeps what a selector threw as the cause only (bad input: selector that throws)", () => {
    const thrown = new TypeError("4111");
    const error = keyError(() => {
      throw thrown;
    });
    expect(error).toMatchObject({ reason: "unreadable", cause: thrown, message: expect.not.stringContaining("4111") });
    expect(
      caught(() =>
        compilePart(() => {
          throw thrown;
        }, "principal")([]),
      ),
    ).toMatchObject({ code: "principal_missing", cause: thrown });
    expect(
      caught(() =>
        compilePart(() => {
          throw thrown;
        }, "fingerprint")([]),
      ),
    ).toMatchObject({ code: "key_missing", reason: "unreadable" });
    const own = new IdempotencyDuplicateError();
    expect(
      caught(() =>
        compilePart(() => {
          throw own;
        }, "key")([]),
      ),
    ).toBe(own);
    expect(
      caught(() =>
        compilePart(() => {
          throw undefined;
        }, "key")([]),
      ),
    ).toMatchObject({ reason: "unreadable" });
  });

  it("says that selectors are synchronous, and lets no rejection escape", async () => {
    expect(() => compilePart(async () => 1, "key")).toThrow("selectors are synchronous");
    const escaped: unknown[] = [];
    const note = (reason: unknown): unknown => escaped.push(reason);
    process.on("unhandledRejection", note);
    for (const source of [
      () => Promise.reject(new Error("late")),
      () => JSON.parse('{"then":1}', (name, part) => (name === "then" ? () => undefined : part)),
    ]) {
      expect(caught(() => compilePart(source, "principal")([]))).toBeInstanceOf(IdempotencyConfigError);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
    process.off("unhandledRejection", note);
    expect(escaped).toEqual([]);
  });

  it("makes a principal that is missing or unreadable one error", () => {
    for (const [source, input] of [
      ["sub", {}],
      ["[iss, sub]", { sub: 1 }],
      ["json(claims).sub", { claims: "x" }],
      ["sub", { sub: new Map() }],
      [() => null, {}],
      [() => ["a", ""], {}],
    ] as const) {
      expect(caught(() => compilePart(source, "principal")([input]))).toBeInstanceOf(IdempotencyPrincipalMissingError);
    }
    expect(compilePart("sub", "principal")([{ sub: 0 }])).toBe("0");
  });

  it("counts a fingerprint of nothing as null, and refuses one that looks into a string", () => {
    expect(compilePart("amount", "fingerprint")([{}])).toBe("null");
    expect(compilePart("@", "fingerprint")([undefined])).toBe("null");
    expect(compilePart("[amount, currency]", "fingerprint")([{ amount: 1 }])).toBe("[1,null]");
    expect(compilePart(() => undefined, "fingerprint")([])).toBe("null");
    expect(compilePart(() => ["", null], "fingerprint")([])).toBe('["",null]');
    expect(caught(() => compilePart("body.amount", "fingerprint")([{ body: "{}" }]))).toMatchObject({
      reason: "unreadable",
      message: expect.stringContaining("json(body).amount"),
    });
    expect(caught(() => compilePart(() => 1n, "fingerprint")([]))).toMatchObject({
      code: "key_missing",
      reason: "unreadable",
    });
  });

  it.each([undefined, null, 7, {}, [], true])("refuses %j as a selector", (source) => {
    expect(caught(() => compilePart(source as never, "key"))).toBeInstanceOf(IdempotencyConfigError);
  });

  it("refuses headers.Idempotency-Key at construction, with the mend", () => {
    expect(() => compilePart("headers.Idempotency-Key", "key")).toThrow('write `headers."Idempotency-Key"`');
  });
});

describe("partText", () => {
  it("is the canonical text of the whole value, nulls inside included", () => {
    expect(partText({ b: null, a: "" }, "key")).toBe('{"a":"","b":null}');
    expect(partText(undefined, "fingerprint")).toBe("null");
  });

  it("refuses nothing, and what is no JSON", () => {
    for (const nothing of [undefined, null, ""]) {
      expect(caught(() => partText(nothing, "key"))).toMatchObject({ code: "key_missing", reason: "missing" });
      expect(caught(() => partText(nothing, "principal"))).toMatchObject({ code: "principal_missing" });
    }
    expect(caught(() => partText(1n, "key"))).toMatchObject({ reason: "unreadable" });
  });
});

it.each([[[]], [{}]])(
  "takes the principal %j for nobody (seen by a reviewer: callers without a group shared keys)",
  (groups) => {
    expect(() => compilePart("groups", "principal")([{ groups }])).toThrow(/principal is an empty list or object/);
    expect(() => compilePart((event: { groups: unknown }) => event.groups, "principal")([{ groups }])).toThrow(/empty/);
  },
);
