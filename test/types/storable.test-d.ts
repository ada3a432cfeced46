/** Checked by the compiler alone: `tsc -p test`. */
import type { APIGatewayProxyResult, APIGatewayProxyStructuredResultV2, SQSBatchResponse } from "aws-lambda";
import { idempotent, memoryStore, type Storable } from "lambda-once";
import { expectTypeOf } from "vitest";

/** Whether a function with this result can be wrapped. */
type Passes<T> = T extends Storable<T> ? true : false;

// What JSON brings back equal.
interface Line {
  readonly sku: string;
  readonly quantity: number;
}
interface Receipt {
  readonly id: string;
  readonly lines: readonly Line[];
  note?: string;
  readonly paid: boolean | null;
  readonly at: [x: number, y: number];
  readonly payment: { readonly kind: "card"; readonly last4: string } | { readonly kind: "cash" };
}
interface Tree {
  readonly children: readonly Tree[];
  readonly parent?: Tree;
}
type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
interface Contact {
  readonly name: string;
  readonly message: string;
}
class Plain {
  readonly amount = 5;
}
type Branded = string & { readonly __brand: "order id" };

expectTypeOf<Passes<Receipt>>().toEqualTypeOf<true>();
expectTypeOf<Passes<Tree>>().toEqualTypeOf<true>();
expectTypeOf<Passes<Json>>().toEqualTypeOf<true>();
expectTypeOf<Passes<Contact>>().toEqualTypeOf<true>();
expectTypeOf<Passes<readonly Contact[]>>().toEqualTypeOf<true>();
expectTypeOf<Passes<Branded>>().toEqualTypeOf<true>();
expectTypeOf<Passes<{ id: Branded }>>().toEqualTypeOf<true>();
expectTypeOf<Passes<Plain>>().toEqualTypeOf<true>();
expectTypeOf<Passes<undefined>>().toEqualTypeOf<true>();
expectTypeOf<Passes<null>>().toEqualTypeOf<true>();
expectTypeOf<Passes<Record<string, unknown>>>().toEqualTypeOf<true>();
expectTypeOf<Passes<Record<string, number | undefined>>>().toEqualTypeOf<true>();
expectTypeOf<Passes<Partial<Receipt>>>().toEqualTypeOf<true>();
expectTypeOf<Passes<object>>().toEqualTypeOf<true>();
expectTypeOf<Passes<unknown>>().toEqualTypeOf<true>();
expectTypeOf<Storable<unknown>>().toEqualTypeOf<unknown>();
expectTypeOf<Receipt>().toExtend<Storable<Receipt>>();
expectTypeOf<Passes<{ body: unknown }>>().toEqualTypeOf<true>();
expectTypeOf<Passes<APIGatewayProxyResult>>().toEqualTypeOf<true>();
expectTypeOf<Passes<APIGatewayProxyStructuredResultV2>>().toEqualTypeOf<true>();
expectTypeOf<Passes<SQSBatchResponse>>().toEqualTypeOf<true>();

// What it would lose, at any depth.
class Money {
  readonly amount = 5;
  format(): string {
    return `${this.amount}`;
  }
}
expectTypeOf<Passes<Date>>().toEqualTypeOf<false>();
expectTypeOf<Passes<{ items: { at: Date }[] }>>().toEqualTypeOf<false>();
expectTypeOf<Passes<{ at?: Date }>>().toEqualTypeOf<false>();
expectTypeOf<Passes<readonly Date[]>>().toEqualTypeOf<false>();
expectTypeOf<Passes<[string, Date]>>().toEqualTypeOf<false>();
expectTypeOf<Passes<{ at: string | Date }>>().toEqualTypeOf<false>();
expectTypeOf<Passes<Record<string, Date>>>().toEqualTypeOf<false>();
expectTypeOf<Passes<Map<string, number>>>().toEqualTypeOf<false>();
expectTypeOf<Passes<{ stock: ReadonlyMap<string, number> }>>().toEqualTypeOf<false>();
expectTypeOf<Passes<{ tags: Set<string> }>>().toEqualTypeOf<false>();
expectTypeOf<Passes<bigint>>().toEqualTypeOf<false>();
expectTypeOf<Passes<{ cents: bigint }>>().toEqualTypeOf<false>();
expectTypeOf<Passes<{ cents: number | bigint }>>().toEqualTypeOf<false>();
expectTypeOf<Passes<symbol>>().toEqualTypeOf<false>();
expectTypeOf<Passes<{ [Symbol.iterator]: string }>>().toEqualTypeOf<false>();
expectTypeOf<Passes<() => void>>().toEqualTypeOf<false>();
expectTypeOf<Passes<{ done(): void }>>().toEqualTypeOf<false>();
expectTypeOf<Passes<{ done?: () => void }>>().toEqualTypeOf<false>();
expectTypeOf<Passes<typeof Money>>().toEqualTypeOf<false>();
expectTypeOf<Passes<{ Money: typeof Plain }>>().toEqualTypeOf<false>();
expectTypeOf<Passes<{ make: abstract new () => object }>>().toEqualTypeOf<false>();
expectTypeOf<Passes<Money>>().toEqualTypeOf<false>();
expectTypeOf<Passes<{ price: Money }>>().toEqualTypeOf<false>();
expectTypeOf<Passes<Error>>().toEqualTypeOf<false>();
expectTypeOf<Passes<{ failure: TypeError }>>().toEqualTypeOf<false>();
expectTypeOf<Passes<{ body: Uint8Array }>>().toEqualTypeOf<false>();
expectTypeOf<Passes<{ body: ArrayBuffer }>>().toEqualTypeOf<false>();
expectTypeOf<Passes<{ pattern: RegExp }>>().toEqualTypeOf<false>();
expectTypeOf<Passes<{ later: Promise<string> }>>().toEqualTypeOf<false>();

// The wrapper and the decorator hold to it.
const options = { store: memoryStore(), operation: "place" };
idempotent(async (_: string): Promise<Receipt> => ({}) as Receipt, options);
idempotent(async (_: string): Promise<Tree> => ({ children: [] }), options);
idempotent(async (_: string): Promise<Json> => [], options);
idempotent(async (_: string): Promise<Contact> => ({ name: "a", message: "b" }), options);
idempotent(async (name: string) => ({ name, message: "hello", age: 5 }), options);
idempotent(async (_: string): Promise<APIGatewayProxyResult> => ({ statusCode: 200, body: "" }), options);
idempotent(async (_: string): Promise<APIGatewayProxyStructuredResultV2> => ({ statusCode: 200 }), options);
idempotent(async (_: string): Promise<unknown> => new Date(), options);
idempotent(async (text: string) => JSON.parse(text), options);
// @ts-expect-error a Date
idempotent(async (_: string) => new Date(), options);
// @ts-expect-error a Date, deep inside
idempotent(async (_: string) => ({ lines: [{ sku: "a", at: new Date() }] }), options);
// @ts-expect-error a Map
idempotent(async (_: string) => ({ stock: new Map([["a", 1]]) }), options);
// @ts-expect-error a bigint
idempotent(async (_: string) => ({ cents: 5n }), options);
// @ts-expect-error a method
idempotent(async (_: string) => new Money(), options);
// @ts-expect-error a class
idempotent(async (_: string) => ({ Plain }), options);
class Orders {
  @idempotent({ ...options, key: "id" })
  async place(_: { readonly id: string }): Promise<Receipt> {
    return {} as Receipt;
  }
  // @ts-expect-error a Date
  @idempotent({ ...options, key: "id" })
  async at(_: { readonly id: string }): Promise<{ at: Date }> {
    return { at: new Date() };
  }
  // @ts-expect-error a Date
  @idempotent(options)
  async when(_: { readonly id: string }): Promise<{ at: Date }> {
    return { at: new Date() };
  }
}
expectTypeOf<Orders>().toHaveProperty("place");
