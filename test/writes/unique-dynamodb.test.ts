import { commit } from "lambda-once/dynamodb";
import { putUnique, table } from "lambda-once/writes";
import { describe, expect, it } from "vitest";
import { localDynamoDB } from "../support/dynamodb.ts";
import { createTable, newOrder, type Order, readAll } from "./kit.ts";

const local = await localDynamoDB();
const client = local.client();

interface User {
  readonly id: string;
  readonly tenant: string;
  readonly email?: string;
  readonly name: string;
}
const email = { fields: "email", normalise: (value: string) => value.trim().toLowerCase() } as const;
const nameInTenant = ["tenant", "name"] as const;
const unique = [email, nameInTenant] as const;

async function users() {
  const name = await local.createTable();
  const handle = table<User>()({ name, key: ["id"] });
  const all = async () => (await readAll(client, name)).map(({ writeId: _, ...item }) => item);
  const entities = async () => (await all()).filter((item) => !("uniqueOwner" in item));
  const guards = async () => (await all()).filter((item) => "uniqueOwner" in item);
  const insert = async (item: User) => commit(client, [putUnique({ table: handle, item, unique })]);
  const change = async (item: User, previous: User) =>
    commit(client, [putUnique({ table: handle, item, previous, unique })]);
  const remove = async (previous: User) => commit(client, [putUnique({ table: handle, previous, unique })]);
  return { handle, entities, guards, insert, change, remove };
}
const ada: User = { id: "1", tenant: "t", email: "Ada@example.org", name: "ada" };
const bob: User = { id: "2", tenant: "t", email: "bob@example.org", name: "bob" };

describe("an insert", () => {
  it("writes the entity and one guard for each unique field", async () => {
    const { insert, entities, guards } = await users();
    expect(await insert(ada)).toStrictEqual({ committed: true, outcomes: [{ outcome: "inserted" }] });
    expect(await entities()).toStrictEqual([ada]);
    expect((await guards()).map(({ uniqueField, uniqueOwner }) => [uniqueField, uniqueOwner]).sort()).toStrictEqual([
      ["email", { id: "1" }],
      ["tenant+name", { id: "1" }],
    ]);
  });

  it("of a value that another has is a duplicate that names field and owner, and writes nothing", async () => {
    const { insert, entities, guards } = await users();
    await insert(ada);
    const byEmail = await insert({ ...bob, email: " ADA@example.org " });
    expect(byEmail).toStrictEqual({
      committed: false,
      outcomes: [{ outcome: "duplicate", field: "email", existing: { id: "1" } }],
    });
    const byName = await insert({ ...bob, name: "ada" });
    expect(byName.outcomes).toStrictEqual([{ outcome: "duplicate", field: "tenant+name", existing: { id: "1" } }]);
    expect(await entities()).toHaveLength(1);
    expect(await guards()).toHaveLength(2);
    expect((await insert({ ...bob, name: "ada", tenant: "u" })).committed).toBe(true);
  });

  it("of a key that is taken is a duplicate of the key", async () => {
    const { insert, entities } = await users();
    await insert(ada);
    const { outcomes } = await insert({ ...bob, id: "1" });
    expect(outcomes).toStrictEqual([{ outcome: "duplicate", field: "id", existing: { id: "1" } }]);
    expect(await entities()).toStrictEqual([ada]);
  });

  it("without a unique value collides with nobody", async () => {
    const { insert, guards } = await users();
    const { email: _, ...nameless } = ada;
    expect((await insert(nameless)).committed).toBe(true);
    expect((await insert({ ...nameless, id: "2", name: "other" })).committed).toBe(true);
    expect(await guards()).toHaveLength(2);
  });

  it("keeps parts of composed values apart", async () => {
    const { insert } = await users();
    const { email: _, ...nameless } = ada;
    expect((await insert({ ...nameless, tenant: "a+b", name: "c" })).committed).toBe(true);
    expect((await insert({ ...nameless, id: "2", tenant: "a", name: "b+c" })).committed).toBe(true);
  });

  it("takes a guard back that its own key left behind", async () => {
    const { insert, handle, guards } = await users();
    await insert(ada);
    await commit(client, [{ Delete: { TableName: handle.name, Key: { id: "1" } } }]);
    expect((await insert(ada)).outcomes).toStrictEqual([{ outcome: "inserted" }]);
    expect(await guards()).toHaveLength(2);
  });

  it("of 50 at once with one value: one wins, and the others are told who", async () => {
    const { insert, entities, guards } = await users();
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, at) => insert({ ...ada, id: String(at), name: String(at) })),
    );
    expect(all.filter(({ committed }) => committed)).toHaveLength(1);
    const [winner] = await entities();
    const lost = all.flatMap(({ outcomes: [one] }) => (one.outcome === "duplicate" ? [one] : []));
    expect(lost).toStrictEqual(
      Array(49).fill({ outcome: "duplicate", field: "email", existing: { id: winner?.["id"] } }),
    );
    expect(await entities()).toHaveLength(1);
    expect(await guards()).toHaveLength(2);
  });

  it("that is sent again is a duplicate of itself", async () => {
    const { insert } = await users();
    await insert(ada);
    expect((await insert(ada)).outcomes).toStrictEqual([{ outcome: "duplicate", field: "id", existing: { id: "1" } }]);
  });
});

describe("a change", () => {
  it("moves the guard of a changed value, and frees the old value", async () => {
    const { insert, change, entities, guards } = await users();
    await insert(ada);
    const renamed = { ...ada, email: "ada@example.com" };
    expect((await change(renamed, ada)).outcomes).toStrictEqual([{ outcome: "changed" }]);
    expect(await entities()).toStrictEqual([renamed]);
    expect(await guards()).toHaveLength(2);
    expect((await insert({ ...bob, email: "ada@example.com" })).committed).toBe(false);
    expect((await insert({ ...bob, email: "ada@example.org" })).committed).toBe(true);
  });

  it("of letter case alone touches no guard", async () => {
    const { handle } = await users();
    const write = putUnique({ table: handle, item: { ...ada, email: "ADA@example.org" }, previous: ada, unique });
    expect(write.parts).toHaveLength(1);
  });

  it("to a value that another has is a duplicate, and changes nothing", async () => {
    const { insert, change, entities, guards } = await users();
    await insert(ada);
    await insert(bob);
    const before = [await entities(), await guards()];
    expect((await change({ ...bob, email: "ada@example.org" }, bob)).outcomes).toStrictEqual([
      { outcome: "duplicate", field: "email", existing: { id: "1" } },
    ]);
    expect([await entities(), await guards()]).toStrictEqual(before);
  });

  it("gives a value away and takes one", async () => {
    const { insert, change, guards } = await users();
    await insert(ada);
    const { email: _, ...without } = ada;
    expect((await change(without, ada)).committed).toBe(true);
    expect(await guards()).toHaveLength(1);
    expect((await change(ada, without)).committed).toBe(true);
    expect(await guards()).toHaveLength(2);
  });

  it("of what has changed meanwhile is stale, frees nothing, and shows what stands there", async () => {
    const { insert, change, entities, guards } = await users();
    await insert(ada);
    const moved = { ...ada, email: "new@example.org" };
    await change(moved, ada);
    const { committed, outcomes } = await change({ ...ada, name: "z" }, ada);
    expect(committed).toBe(false);
    expect(outcomes).toMatchObject([{ outcome: "stale", current: moved }]);
    expect(await entities()).toStrictEqual([moved]);
    expect(await guards()).toHaveLength(2);
  });

  it("of what is not there is stale", async () => {
    const { change, entities } = await users();
    expect((await change(ada, ada)).outcomes).toStrictEqual([{ outcome: "stale", current: undefined }]);
    expect(await entities()).toStrictEqual([]);
  });

  it("of 20 at once from the same entity: one wins, and one guard for each field is left", async () => {
    const { insert, change, guards, entities } = await users();
    await insert(ada);
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, at) => change({ ...ada, email: `${at}@example.org` }, ada)),
    );
    expect(all.map(({ outcomes: [{ outcome }] }) => outcome).sort()).toStrictEqual([
      "changed",
      ...Array(19).fill("stale"),
    ]);
    expect(await guards()).toHaveLength(2);
    expect(await entities()).toHaveLength(1);
  });
});

describe("a deletion", () => {
  it("frees the entity's guards with it", async () => {
    const { insert, remove, entities, guards } = await users();
    await insert(ada);
    expect((await remove(ada)).outcomes).toStrictEqual([{ outcome: "deleted" }]);
    expect([await entities(), await guards()]).toStrictEqual([[], []]);
    expect((await insert({ ...ada, id: "9" })).committed).toBe(true);
  });

  it("of what has changed meanwhile is stale, and of what is gone too", async () => {
    const { insert, change, remove, guards } = await users();
    await insert(ada);
    const moved = { ...ada, email: "new@example.org" };
    await change(moved, ada);
    expect((await remove(ada)).outcomes).toMatchObject([{ outcome: "stale", current: moved }]);
    expect(await guards()).toHaveLength(2);
    await remove(moved);
    expect((await remove(moved)).outcomes).toStrictEqual([{ outcome: "stale", current: undefined }]);
  });

  it("leaves a guard alone that has become another's", async () => {
    const { insert, remove, handle, guards } = await users();
    await insert(ada);
    const { email: _, ...taken } = ada;
    await commit(client, [{ Put: { TableName: handle.name, Item: { ...bob, email: "ada@example.org" } } }]);
    await insert({ ...taken, id: "3", name: "carol" });
    const before = await guards();
    expect((await remove({ ...bob, email: "ada@example.org" })).outcomes).toStrictEqual([
      { outcome: "duplicate", field: "email", existing: { id: "1" } },
    ]);
    expect(await guards()).toStrictEqual(before);
  });
});

describe("an entity with a version", () => {
  it("begins with 1, grows with a change, and is stale on another", async () => {
    const name = await local.createTable();
    const orders = table<Order>()({ name, key: ["id"], state: "status", version: "version" });
    const { version: _, ...order } = newOrder();
    const fields = ["orderNumber"] as const;
    await commit(client, [putUnique({ table: orders, item: order, unique: fields })]);
    const change = (version: number) =>
      commit(client, [
        putUnique({
          table: orders,
          item: { ...order, orderNumber: "new" },
          previous: { version, orderNumber: order.orderNumber },
          unique: fields,
        }),
      ]);
    expect((await change(2)).outcomes[0].outcome).toBe("stale");
    expect((await change(1)).outcomes[0].outcome).toBe("changed");
    const [stored] = (await readAll(client, name)).filter(({ id }) => id === order.id);
    expect(stored).toMatchObject({ orderNumber: "new", version: 2 });
  });
});

describe("guards", () => {
  it.each([["S", "s"] as const, ["N", 7] as const, ["B", Uint8Array.of(1, 2)] as const])(
    "stand beside entities with a sort key of type %s",
    async (type, sort) => {
      const name = await createTable(local, [
        ["pk", "S"],
        ["sk", type],
      ]);
      const rows = table<{ pk: string; sk: string | number | Uint8Array; code: string }>()({ name, key: ["pk", "sk"] });
      const insert = (pk: string) =>
        commit(client, [putUnique({ table: rows, item: { pk, sk: sort, code: "c" }, unique: ["code"] })]);
      expect((await insert("a")).committed).toBe(true);
      const { outcomes } = await insert("b");
      expect(outcomes).toMatchObject([{ outcome: "duplicate", field: "code", existing: { pk: "a" } }]);
      expect((await insert("a")).outcomes).toMatchObject([{ outcome: "duplicate", field: "pk+sk" }]);
      expect(await readAll(client, name)).toHaveLength(2);
    },
  );

  it("stand in a table of their own where the handle names one", async () => {
    const name = await createTable(local, [["number", "N"]]);
    const guards = await local.createTable();
    const rows = table<{ number: number; code: string }>()({
      name,
      key: ["number"],
      guards: { name: guards, key: "id" },
    });
    const insert = (number: number) =>
      commit(client, [putUnique({ table: rows, item: { number, code: "c" }, unique: ["code"] })]);
    expect((await insert(1)).committed).toBe(true);
    expect((await insert(2)).outcomes).toStrictEqual([
      { outcome: "duplicate", field: "code", existing: { number: 1 } },
    ]);
    expect(await readAll(client, name)).toHaveLength(1);
    expect(await readAll(client, guards)).toHaveLength(1);
  });
});
