import { refuseValue } from "../core/check.ts";
import type { Claim } from "../core/claim.ts";
import { show } from "../core/duration.ts";
import { IdempotencyConfigError, type IdempotencyError, isIdempotencyError } from "../core/errors.ts";
import type { Answer } from "../core/settle.ts";
import type { Storable } from "../core/storable.ts";
import { reducerOf } from "./binding.ts";
import { isContextLike, type LambdaContext } from "./context.ts";
import { heldClaim, inFrame } from "./frames.ts";
import { compileIdentity } from "./identity.ts";
import { compileOperation, contextOf, type Operation } from "./operation.ts";
import { type Options, readOptions, type Settings } from "./options.ts";

/** How a call of a wrapped function was answered. */
export interface CallOutcome<Result> {
  /** `'replayed'`: the function did not run for this call. */
  readonly status: "executed" | "replayed";
  /** The attempt that gave the answer; above 1 where earlier ones ended without a known outcome. */
  readonly attempt: number;
  readonly result: Result;
}

/** A function whose duplicate calls run once. */
export interface Idempotent<Args extends readonly unknown[], Result> {
  (...args: Args): Promise<Result>;
  /** The same call, saying whether the function ran. */
  outcome(...args: Args): Promise<CallOutcome<Result>>;
  /** The function itself, without any protection. */
  readonly unwrapped: (...args: Args) => Promise<Result>;
}

/** The parameter lists for which the whole first argument can be the key: `f(x)` and `handler(event, context)`. */
type KeyIsOptional<Args extends readonly unknown[]> = Args extends readonly []
  ? false
  : Args extends readonly [_?: unknown]
    ? true
    : Args extends readonly [
          _: unknown,
          context: Required<Pick<LambdaContext, "getRemainingTimeInMillis">>,
          ...rest: infer Rest,
        ]
      ? Rest extends readonly [] | readonly [_: (...args: never) => unknown]
        ? true
        : false
      : false;

/** `T`, inferred elsewhere. (`NoInfer` does it too, but a list of parameters in it no longer fits a function of fewer.) */
type Settled<T> = [T][T extends unknown ? 0 : never];

/** The options of a function: with several arguments, the key or a binding has to be given. */
export type OptionsFor<Args extends readonly unknown[], Result> =
  KeyIsOptional<Args> extends true
    ? Options<Args, Result>
    : Options<Args, Result> &
        (Required<Pick<Options<Args, Result>, "key">> | Required<Pick<Options<Args, Result>, "binding">>);

/** A standard (TC39) method decorator; the method may have more parameters than the options use. */
export type IdempotentDecorator<KeyArgs extends readonly unknown[]> = <
  This,
  Args extends readonly [...KeyArgs, ...unknown[]],
  Result,
>(
  method: (this: This, ...args: Args) => Promise<Result & Storable<Result>>,
  context: ClassMethodDecoratorContext<This, (this: This, ...args: Args) => Promise<Result & Storable<Result>>>,
) => (this: This, ...args: Args) => Promise<Result & Storable<Result>>;

/** The decorator without key or binding: for methods of one parameter, which is the key. */
export type IdempotentDecoratorOfOne = <This, Arg, Result>(
  method: (this: This, arg: Arg) => Promise<Result & Storable<Result>>,
  context: ClassMethodDecoratorContext<This, (this: This, arg: Arg) => Promise<Result & Storable<Result>>>,
) => (this: This, arg: Arg) => Promise<Result & Storable<Result>>;

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Wraps an async function or a Lambda handler: of several calls with the same key one runs, and every
 * caller gets its result. Also a standard method decorator: `@idempotent({ ... })`.
 *
 * Two requests to the store for a first execution, one for a replay. The key is read from the arguments
 * before the function sees them. A call throws what the function throws, or an error that
 * `isIdempotencyError` recognises, and then the function has not run, except for `claim_lost` and
 * `result_unstorable`.
 *
 * @throws IdempotencyConfigError at once for options that are wrong
 *
 * @example
 * const placeOrder = idempotent(
 *   async (order: { orderId: string; amount: number }) => ({ orderId: order.orderId, status: "placed" }),
 *   { store: dynamoDBStore(), operation: "place-order", key: "orderId", fingerprint: "@" },
 * );
 *
 * @example
 * class Orders {
 *   \@idempotent({ store, operation: "orders", key: (order: Order) => order.id })
 *   async place(order: Order, audit: Audit): Promise<Receipt> {
 *     return { orderId: order.id, requestedBy: audit }; // the operation is "orders.place"
 *   }
 * }
 */
export function idempotent<Args extends readonly unknown[], Result>(
  // biome-ignore lint/suspicious/noConfusingVoidType: the Lambda handler types of @types/aws-lambda return this union
  fn: (...args: Args) => Promise<Result & Storable<Result>> | void,
  options: OptionsFor<Settled<Args>, Settled<Result>>,
): Idempotent<Args, Result>;
export function idempotent<KeyArgs extends readonly unknown[]>(
  options: Options<KeyArgs, unknown> &
    (Required<Pick<Options<KeyArgs, unknown>, "key">> | Required<Pick<Options<KeyArgs, unknown>, "binding">>),
): IdempotentDecorator<KeyArgs>;
export function idempotent(
  options: Options<readonly [never], unknown> & { readonly key?: never; readonly binding?: never },
): IdempotentDecoratorOfOne;
export function idempotent(first: unknown, second?: unknown): unknown {
  if (typeof first === "function") return wrap(first as AnyFunction, second as Options<readonly unknown[], unknown>);
  if (second !== undefined) refuseValue("the function to wrap", first, "is a function");
  const options = first as Options<readonly unknown[], unknown>;
  compileIdentity(readOptions(options)); // What is wrong with them is said where they stand, not where the class is made.
  return (method: AnyFunction, context: ClassMethodDecoratorContext): AnyFunction => {
    if (context?.kind !== "method") {
      throw new IdempotencyConfigError(`@idempotent decorates a ${show(context?.kind)}; allowed is a method`);
    }
    refuseHandler(method);
    const operation = compileOperation(options, `.${String(context.name)}`);
    return async function idempotentMethod(this: unknown, ...args) {
      return rendered(operation, await call(operation, method, this, args), args);
    };
  };
}

function wrap(fn: AnyFunction, options: Options<readonly unknown[], unknown>): unknown {
  refuseHandler(fn);
  const operation = compileOperation(options);
  async function idempotentFunction(this: unknown, ...args: unknown[]): Promise<unknown> {
    return rendered(operation, await call(operation, fn, this, args), args);
  }
  return Object.assign(idempotentFunction, {
    async outcome(this: unknown, ...args: unknown[]): Promise<CallOutcome<unknown>> {
      const answer = await call(operation, fn, this, args);
      if (answer.status === "refused") throw answer.error;
      const { status, attempt } = answer;
      return { status, attempt, result: rendered(operation, answer, args) };
    },
    unwrapped: fn,
  });
}

/** Two kinds of handlers do not give their result back, so that it cannot be stored. */
function refuseHandler(fn: AnyFunction): void {
  if (Symbol.for("aws.lambda.runtime.handler.streaming") in fn) {
    throw new IdempotencyConfigError("the function is a streaming handler; allowed is one that returns its result");
  }
}

/** The answer of one call; a refusal is an answer that the binding may render. */
export type Answered = Answer | { readonly status: "refused"; readonly error: IdempotencyError };

/** One call: begin, run under the claim, end the claim. */
async function call(operation: Operation, fn: AnyFunction, self: unknown, args: unknown[]): Promise<Answered> {
  if (fn.length >= 3 && typeof args[2] === "function" && isContextLike(args[1])) {
    throw new IdempotencyConfigError(
      "the handler takes a callback; allowed is an async handler that returns its result",
    );
  }
  const context = contextOf(args);
  const begun = await operation.prepare(args, context).begin();
  switch (begun.status) {
    case "claimed":
      return await execute(begun.claim, context, () => fn.apply(self, args), operation.settings.binding, args);
    case "unheld": {
      let result: unknown;
      try {
        result = await inFrame(begun.claim, context, () => fn.apply(self, args));
      } catch (error) {
        begun.end();
        throw error;
      }
      const { binding } = operation.settings;
      try {
        if (binding?.unheld !== undefined) result = binding.unheld(result, ...args);
        await begun.returned();
      } catch (error) {
        begun.end();
        return refusedBy(error);
      }
      return { status: "executed", attempt: 1, result, kept: false };
    }
    case "replayed":
    case "refused":
      return begun;
    case "failed":
      return refusedBy(begun.error);
  }
}

/** Runs the function under the claim; what it throws is what the caller sees. */
export async function execute(
  claim: Claim,
  context: LambdaContext | undefined,
  run: () => unknown,
  binding?: Settings["binding"],
  args: readonly unknown[] = [],
): Promise<Answered> {
  let result: unknown;
  const reduce = reducerOf(binding, args);
  try {
    result = await inFrame(heldClaim(claim, reduce), context, run);
  } catch (error) {
    const winner = await claim.threw(error);
    if (winner !== undefined) return winner;
    if (binding?.refuse !== undefined && isOfClaim(error)) return refusedBy(error);
    throw error;
  }
  try {
    const answer = await claim.returned(result, reduce);
    if (answer.status === "replayed" || binding?.executed === undefined) return answer;
    return { ...answer, result: binding.executed(answer.result, ...args) };
  } catch (error) {
    return refusedBy(error);
  }
}

/** What a claim itself tells its function, of steps and commits, is for the caller as well: a binding may render it. */
const OF_CLAIM: ReadonlySet<unknown> = new Set(["claim_lost", "write_conflict", "step_interrupted", "outcome_unknown"]);

function isOfClaim(error: unknown): boolean {
  return (
    isIdempotencyError(error) &&
    (OF_CLAIM.has(error.code) || (error.code === "store_failed" && error.outcome === "unknown"))
  );
}

/** Our own errors are refusals, which a binding may render; a kept error speaks for the function and is thrown. */
function refusedBy(error: unknown): Answered {
  if (isIdempotencyError(error)) return { status: "refused", error };
  throw error;
}

/** The answer as the binding renders it, where it does. */
function rendered({ settings: { binding } }: Operation, answer: Answered, args: readonly unknown[]): unknown {
  if (answer.status === "refused") {
    if (binding?.refuse === undefined) throw answer.error;
    return binding.refuse(answer.error, ...args);
  }
  if (answer.status === "executed" || binding?.replay === undefined) return answer.result;
  return binding.replay(answer.result, ...args);
}
