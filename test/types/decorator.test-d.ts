/** Checked by the compiler alone: `tsc -p test`. */

import { idempotent, memoryStore } from "lambda-once";
import { expectTypeOf } from "vitest";

interface Order {
  readonly id: string;
}
interface Receipt {
  readonly orderId: string;
}
interface Audit {
  readonly by: string;
}
const options = { store: memoryStore(), operation: "orders" };
const receipt: Receipt = { orderId: "o-1" };

class Orders {
  readonly shop = "corner";

  // The key may use fewer parameters than the method has.
  @idempotent({ ...options, key: (order: Order) => order.id })
  async place(_: Order, __: Audit, ...___: string[]): Promise<Receipt> {
    return receipt;
  }
  @idempotent({ ...options, key: (order: Order, audit: Audit) => [order.id, audit.by] })
  async cancel(_: Order, __: Audit): Promise<Receipt | undefined> {
    return receipt;
  }
  @idempotent({ ...options, key: "[id, tenant]" })
  async ship(_: Order, __?: Audit): Promise<void> {}
  @idempotent({ ...options, binding: { name: "orders", identify: (order: Order) => ({ key: order.id }) } })
  async bill(_: Order, __: Audit): Promise<Receipt> {
    return receipt;
  }

  // Without key and binding, the only parameter is the key.
  @idempotent(options)
  async find(this: Orders, _: string): Promise<Receipt> {
    return receipt;
  }
  @idempotent(options)
  static async all(_: Order): Promise<Receipt[]> {
    return [receipt];
  }
  @idempotent({ ...options, key: "id" })
  async #audit(_: Order): Promise<Receipt> {
    return receipt;
  }
  audit(order: Order): Promise<Receipt> {
    return this.#audit(order);
  }

  // @ts-expect-error which of the two is the key?
  @idempotent(options)
  async move(_: Order, __: string): Promise<Receipt> {
    return receipt;
  }
  // @ts-expect-error the key reads more parameters than there are
  @idempotent({ ...options, key: (order: Order, audit: Audit) => [order.id, audit.by] })
  async pay(_: Order): Promise<Receipt> {
    return receipt;
  }
  // @ts-expect-error the key reads another type
  @idempotent({ ...options, key: (order: Order) => order.id })
  async refund(_: number): Promise<Receipt> {
    return receipt;
  }
  // @ts-expect-error a method that returns no promise
  @idempotent({ ...options, key: "id" })
  name(_: Order): string {
    return this.shop;
  }
  // @ts-expect-error a getter
  @idempotent({ ...options, key: "id" })
  get size(): number {
    return 1;
  }
  // @ts-expect-error a field
  @idempotent({ ...options, key: "id" })
  count = 1;
  // @ts-expect-error an option that does not exist
  @idempotent({ ...options, key: "id", ttl: 60 })
  async lose(_: Order): Promise<Receipt> {
    return receipt;
  }
  // @ts-expect-error a store is needed
  @idempotent({ operation: "orders", key: "id" })
  async forget(_: Order): Promise<Receipt> {
    return receipt;
  }
}

// The decorated method has the method's own type.
expectTypeOf<Orders["place"]>().toEqualTypeOf<(order: Order, audit: Audit, ...rest: string[]) => Promise<Receipt>>();
expectTypeOf<Orders["cancel"]>().returns.toEqualTypeOf<Promise<Receipt | undefined>>();
expectTypeOf<Orders["find"]>().parameters.toEqualTypeOf<[id: string]>();
expectTypeOf(Orders.all).returns.toEqualTypeOf<Promise<Receipt[]>>();
