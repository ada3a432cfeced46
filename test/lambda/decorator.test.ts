import { describe, expect, it } from "vitest";
import { currentClaim, idempotent, memoryStore } from "../../src/index.ts";
import { testingStore } from "../../src/testing.ts";

interface Order {
  readonly id: string;
}
const order: Order = { id: "o-1" };
const config = expect.objectContaining({ code: "config" });

/** The operations of the records, oldest first. */
const operations = (store: ReturnType<typeof testingStore>): unknown[] =>
  store.records().map(({ id }) => id.slice(0, id.lastIndexOf("#")));

describe("the decorator", () => {
  it("keeps `this`, and names the operation after the method", async () => {
    const store = testingStore();
    class Orders {
      runs = 0;
      @idempotent({ store, operation: "orders", key: (one: Order) => one.id })
      async place(one: Order, audit: string): Promise<string> {
        return `${one.id} ${audit} ${++this.runs} ${currentClaim().attempt}`;
      }
    }
    const orders = new Orders();
    expect(await orders.place(order, "first")).toBe("o-1 first 1 1");
    expect(await orders.place(order, "second")).toBe("o-1 first 1 1");
    expect(orders.runs).toBe(1);
    expect(operations(store)).toStrictEqual(["orders.place"]);
  });

  it("shares one record between the instances of a class, since the key says what is the same", async () => {
    const store = testingStore();
    class Orders {
      readonly name: string;
      constructor(name: string) {
        this.name = name;
      }
      @idempotent({ store, operation: "orders", key: "id" })
      async place(_: Order): Promise<string> {
        return this.name;
      }
    }
    expect([await new Orders("a").place(order), await new Orders("b").place(order)]).toStrictEqual(["a", "a"]);
  });

  it("works on static, private and symbol-named methods, each an operation of its own", async () => {
    const store = testingStore();
    const cancel = Symbol("cancel");
    const options = { store, operation: "orders", key: "id" };
    class Orders {
      static prefix = "static";
      @idempotent(options)
      static async place(one: Order): Promise<string> {
        // biome-ignore lint/complexity/noThisInStatic: that it is the class is what is tested
        return `${this.prefix} ${one.id}`;
      }
      @idempotent(options)
      async #ship(one: Order): Promise<string> {
        return `shipped ${one.id}`;
      }
      ship(one: Order): Promise<string> {
        return this.#ship(one);
      }
      @idempotent(options)
      async [cancel](one: Order): Promise<string> {
        return `cancelled ${one.id}`;
      }
    }
    const orders = new Orders();
    for (let again = 0; again < 2; again++) {
      expect(await Orders.place(order)).toBe("static o-1");
      expect(await orders.ship(order)).toBe("shipped o-1");
      expect(await orders[cancel](order)).toBe("cancelled o-1");
    }
    expect(operations(store)).toStrictEqual(["orders.place", "orders.#ship", "orders.Symbol(cancel)"]);
  });

  it("works in a subclass: inherited, overridden, and called through super under another operation", async () => {
    const store = testingStore();
    class Orders {
      @idempotent({ store, operation: "orders", key: "id" })
      async place(one: Order): Promise<string> {
        return `${this.constructor.name} placed ${one.id}`;
      }
    }
    class Gifts extends Orders {}
    class Special extends Orders {
      @idempotent({ store, operation: "special", key: "id" })
      override async place(one: Order): Promise<string> {
        return `${await super.place(one)}, specially`;
      }
    }
    expect(await new Gifts().place(order)).toBe("Gifts placed o-1");
    expect(await new Special().place({ id: "o-2" })).toBe("Special placed o-2, specially");
    expect(await new Special().place({ id: "o-2" })).toBe("Special placed o-2, specially");
    expect(operations(store)).toStrictEqual(["orders.place", "special.place", "orders.place"]);
  });

  it("takes the only parameter for the key where it is given none", async () => {
    const store = testingStore();
    class Orders {
      runs = 0;
      @idempotent({ store, operation: "orders" })
      async place(_: Order): Promise<number> {
        return ++this.runs;
      }
    }
    const orders = new Orders();
    expect([
      await orders.place(order),
      await orders.place({ ...order }),
      await orders.place({ id: "o-2" }),
    ]).toStrictEqual([1, 1, 2]);
  });

  it.each(["getter", "setter", "field", "accessor", "class"])("refuses a %s", (kind) => {
    const decorate = idempotent({ store: memoryStore(), operation: "orders", key: "id" }) as unknown as (
      target: unknown,
      context: unknown,
    ) => unknown;
    expect(() => decorate(async () => {}, { kind, name: "place" })).toThrow(
      expect.objectContaining({ code: "config", message: `@idempotent decorates a '${kind}'; allowed is a method` }),
    );
  });

  it("refuses to be a decorator of TypeScript's older kind", () => {
    const decorate = idempotent({ store: memoryStore(), operation: "orders", key: "id" }) as unknown as (
      ...args: unknown[]
    ) => unknown;
    expect(() => decorate({}, "place", { value: async () => {} })).toThrow(config);
  });

  it("refuses options that are wrong, and a method whose name does not fit, when the class is made", () => {
    expect(
      () =>
        class {
          @idempotent({ store: memoryStore(), operation: "orders", key: "id", expiresAfter: { hours: 0 } })
          async place(_: Order): Promise<void> {}
        },
    ).toThrow(config);
    expect(
      () =>
        class {
          @idempotent({ store: memoryStore(), operation: "orders", key: "id" })
          async "Bücher bestellen"(_: Order): Promise<void> {}
        },
    ).toThrow(
      expect.objectContaining({
        message: expect.stringContaining("operation is 'orders.Bücher bestellen'; allowed are"),
      }),
    );
  });
});
