import { fc, test } from "@fast-check/vitest";
import { describe, expect, it } from "vitest";
import { type Condition, holds } from "../../src/writes/condition.ts";
import { type Assignment, type ItemWrite, toAction } from "../../src/writes/item-write.ts";
import { merged } from "../../src/writes/merge.ts";
import { itemPart } from "../../src/writes/part.ts";

const write = (over: Partial<ItemWrite>, assignments: Record<string, Assignment> = {}): ItemWrite => ({
  verb: "update",
  by: "one()",
  table: "orders",
  key: { id: "1" },
  assignments: new Map(Object.entries(assignments)),
  condition: { test: "exists", attribute: "id" },
  ...over,
});
const set = (value: unknown): Assignment => ({ op: "set", value });
const keep = (value: unknown): Assignment => ({ op: "keep", value });
const grow = (from?: number): Assignment => ({ op: "grow", from });
const remove: Assignment = { op: "remove" };

/** DynamoDB's own reading of an update, on what stands there. */
function applied({ verb, assignments, key }: ItemWrite, item: Record<string, unknown>): Record<string, unknown> {
  const result: Record<string, unknown> = verb === "put" ? { ...key } : { ...item };
  for (const [name, assignment] of assignments) {
    if (assignment.op === "set") result[name] = assignment.value;
    if (assignment.op === "keep") result[name] = item[name] ?? assignment.value;
    if (assignment.op === "grow")
      result[name] = verb === "put" ? (assignment.from ?? 0) + 1 : Number(item[name] ?? 0) + 1;
    if (assignment.op === "remove") delete result[name];
  }
  return result;
}

const assignment = fc.oneof(fc.constantFrom(1, 2).map(set), fc.constantFrom(1, 2).map(keep), fc.constant(remove));
const assignments = fc.dictionary(fc.constantFrom("a", "b", "c"), assignment, { noNullPrototype: true });
const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ test: fc.constantFrom("exists", "absent"), attribute: fc.constantFrom("a", "b") }),
  fc.record({
    test: fc.constant("equals" as const),
    attribute: fc.constantFrom("a", "b"),
    value: fc.constantFrom(1, 2),
  }),
);
const update = fc.tuple(assignments, condition).map(([all, when]) => write({ condition: when }, all));
const item = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.constantFrom(1, 2), { noNullPrototype: true });

describe("two updates of one item", () => {
  test.prop([update, update, item])(
    "become one that does what both do, one after the other, in either order",
    (one, other, found) => {
      let both: ItemWrite;
      try {
        both = merged(one, other);
      } catch {
        return;
      }
      expect(holds(both.condition, found)).toBe(holds(one.condition, found) && holds(other.condition, found));
      const swapped = merged(other, one);
      expect(applied(swapped, found)).toStrictEqual(applied(both, found));
      for (const [name, value] of Object.entries(applied(both, found))) {
        expect([applied(one, found)[name], applied(other, found)[name]]).toContain(value);
      }
    },
  );

  test.prop([update, update])("can be one in both orders, or in none", (one, other) => {
    const can = (first: ItemWrite, second: ItemWrite) => {
      try {
        merged(first, second);
        return true;
      } catch {
        return false;
      }
    };
    expect(can(one, other)).toBe(can(other, one));
    expect(can(one, one)).toBe(true);
  });

  it.each([
    ["sets of one value", set(1), set(1), set(1)],
    ["a set and what is kept", set(1), keep(2), set(1)],
    ["what is kept and a set", keep(2), set(1), set(1)],
    ["two growths", grow(), grow(3), grow(3)],
    ["two removals", remove, remove, remove],
    ["two equal Sets", set(new Set([1, 2])), set(new Set([2, 1])), set(new Set([1, 2]))],
  ])("agree: %s", (_, first, second, expected) => {
    const both = merged(write({}, { a: first }), write({}, { a: second }));
    expect(both.assignments.get("a")).toStrictEqual(expected);
  });

  it.each([
    ["sets of two values", set(1), set(2)],
    ["a number and its text", set(1), set("1")],
    ["a set and a removal", set(1), remove],
    ["what is kept and a removal", keep(1), remove],
    ["two values that are kept", keep(1), keep(2)],
    ["a growth and a set", grow(), set(1)],
    ["growths from two versions", grow(1), grow(2)],
  ])("cannot be one: %s", (_, first, second) => {
    const [one, other] = [write({}, { a: first }), write({ by: "other()" }, { a: second })];
    for (const attempt of [() => merged(one, other), () => merged(other, one)]) {
      expect(attempt).toThrow(/(one|other)\(\) and (one|other)\(\) want different things of the attribute 'a'/);
    }
  });
});

describe("a put", () => {
  const whole = (all: Record<string, Assignment>) => write({ verb: "put", by: "put()" }, all);

  it("takes what an update adds, in either order", () => {
    const put = whole({ a: set(1), version: grow(3) });
    const update = write({}, { b: set(2), version: grow(), a: set(1), gone: remove });
    for (const both of [merged(put, update), merged(update, put)]) {
      expect(toAction(both).Put?.Item).toStrictEqual({ id: "1", a: 1, b: 2, version: 4 });
    }
  });

  it.each([
    ["a value of its own", { a: set(2) }],
    ["a removal of what it holds", { a: remove }],
    ["a growth of what it does not hold", { version: grow() }],
    ["a value that depends on what stands there", { b: keep(1) }],
  ])("cannot be one with an update that wants %s", (_, all) => {
    expect(() => merged(whole({ a: set(1) }), write({}, all as never))).toThrow("want different things");
  });

  it("is one with an equal put alone", () => {
    const id = (value: string) => ({ writeId: { attribute: "writeId", id: value } });
    const one = itemPart(write({ verb: "put", ...id("w-1") }, { a: set(1) }));
    const same = itemPart(write({ verb: "put", ...id("w-2") }, { a: set(1) }));
    expect(one.merge?.(same).action().Put?.Item).toStrictEqual({ id: "1", a: 1, writeId: "w-1" });
    for (const other of [{ a: set(2) }, { a: set(1), b: set(1) }, {}]) {
      const attempt = () => one.merge?.(itemPart(write({ verb: "put", ...id("w-2") }, other as never)));
      expect(attempt).toThrow("want different things");
    }
  });
});

describe("a deletion, and a write of another make", () => {
  it("cannot be one with anything", () => {
    const deletion = write({ verb: "delete", by: "remove()" });
    expect(() => merged(deletion, write({}))).toThrow(
      "remove() and one() are on the same item, and one of them deletes it",
    );
    expect(() => merged(write({}), deletion)).toThrow("one of them deletes it");
    expect(() => itemPart(write({})).merge?.({ table: "orders", key: { id: "1" }, action: () => ({}) })).toThrow(
      "one() and another kind of write are on the same item of table 'orders'",
    );
  });
});

describe("an action", () => {
  it("names nothing but through placeholders", () => {
    const all = { "a.b": set(1), status: keep(2), size: grow(), "#n0": remove, ":v0": set(":v1") };
    const condition: Condition = {
      test: "any",
      of: [
        { test: "equals", attribute: "status", value: 3 },
        { test: "differs", attribute: "a.b", value: 4 },
      ],
    };
    const { Update } = toAction(write({ condition }, all));
    const { ExpressionAttributeNames = {}, ExpressionAttributeValues = {} } = Update ?? {};
    const text = `${Update?.UpdateExpression} ${Update?.ConditionExpression}`;
    expect(
      text
        .replace(/[#:][nv]\d+/g, "")
        .match(/\w+/g)
        ?.filter((word) => !/^(SET|REMOVE|OR|if_not_exists|attribute_not_exists)$/.test(word)),
    ).toStrictEqual([]);
    expect(Object.values(ExpressionAttributeNames).sort()).toStrictEqual(["#n0", ":v0", "a.b", "size", "status"]);
    expect(new Set(text.match(/#n\d+/g))).toStrictEqual(new Set(Object.keys(ExpressionAttributeNames)));
    expect(new Set(text.match(/:v\d+/g))).toStrictEqual(new Set(Object.keys(ExpressionAttributeValues)));
  });
});
