import middy6 from "@middy/core";
import middy7 from "middy7";
import { type CurrentClaim, currentClaim, idempotent } from "../../src/index.ts";
import { idempotency } from "../../src/middy.ts";
import type { Call, Fn, FrontEndOptions, Order, TestLambdaContext } from "../contract/front-end/kit.ts";
import { describeFrontEnd } from "../contract/front-end.ts";

type Handler = (event: Order, context?: TestLambdaContext) => Promise<unknown>;

/** Middy 6 and 7 differ in their types, not in what is used of them here. */
type AnyMiddy = (handler: Handler) => Call & { use(middleware: unknown): Call };

const handlerOf =
  (fn: Fn): Handler =>
  async (event) =>
    fn(event, currentClaim());

const wrapped = (fn: Fn, options: FrontEndOptions): Handler => idempotent(handlerOf(fn), options as never);

describeFrontEnd("the wrapper", wrapped);

describeFrontEnd("the decorator", (fn, options) => {
  const run = handlerOf(fn);
  class Orders {
    @idempotent(options as FrontEndOptions & Required<Pick<FrontEndOptions, "key">>)
    async place(event: Order, context?: TestLambdaContext): Promise<unknown> {
      return run(event, context);
    }
  }
  const orders = new Orders();
  return (event, context) => orders.place(event, context);
});

for (const [name, middy] of [
  ["Middy 6", middy6 as unknown as AnyMiddy],
  ["Middy 7", middy7 as unknown as AnyMiddy],
] as const) {
  describeFrontEnd(`the middleware of ${name}`, (fn, options) => {
    const handler: Handler = async (event, context) => fn(event, (context as { claim: CurrentClaim }).claim);
    return middy(handler).use(idempotency(options as never));
  });

  describeFrontEnd(`the wrapper inside ${name}`, (fn, options) => middy(wrapped(fn, options)));
}
