import type { Claim } from "../core/claim.ts";
import { type IdempotencyError, isIdempotencyError } from "../core/errors.ts";
import type { LambdaContext } from "./context.ts";
import { type CurrentClaim, heldClaim } from "./frames.ts";
import { compileOperation } from "./operation.ts";
import type { Options } from "./options.ts";

/** What of a Middy request the middleware touches; every Middy 6 and 7 request fits. */
export interface MiddyRequest {
  // biome-ignore lint/suspicious/noExplicitAny: Middy's own request type has these as type parameters
  event: any;
  // biome-ignore lint/suspicious/noExplicitAny: the handler's context type is its user's
  context: any;
  // biome-ignore lint/suspicious/noExplicitAny: the handler's result
  response: any;
  error: Error | null | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: set by a hook that answers early
  earlyResponse?: any;
}

/** A Middy middleware object. */
export interface IdempotencyMiddleware {
  before(request: MiddyRequest): Promise<void>;
  after(request: MiddyRequest): Promise<void>;
  onError(request: MiddyRequest): Promise<void>;
}

/** Adds the claim to a handler's context: `async (event, context: WithClaim<Context>) => ...`. */
export type WithClaim<Context> = Context & { readonly claim: CurrentClaim };

/** An answer that leaves `before` as a throw, so that the `onError` hooks of others (CORS) still apply to it. */
class Rendered extends Error {
  readonly response: unknown;
  constructor(response: unknown) {
    super("the idempotency middleware has answered this request");
    this.response = response;
  }
}

/**
 * A Middy middleware that runs the handler once per key, and gives duplicates its result. The handler
 * finds its claim at `context.claim`.
 *
 * Use it **last**: its `after` then stores what the handler itself returned, before other hooks change it,
 * and a hook of others that fails later changes nothing about the record. Without a binding a replay leaves by
 * Middy's `earlyResponse`, which skips all `after` hooks, and a refusal is thrown; with one, replays and refusals
 * pass through the `onError` hooks. Once the claim's deadline has passed nothing is stored and nothing released:
 * what Middy's `timeoutEarly` answers is not the handler's result. (`deadlineMargin` has to be longer than
 * Middy's `timeoutEarlyInMillis`; both defaults are.)
 *
 * @throws IdempotencyConfigError at once for options that are wrong
 *
 * @example
 * export const handler = middy(async (event: OrderEvent, context: WithClaim<Context>) => place(event.order))
 *   .use(httpErrorHandler())
 *   .use(idempotency({ store: dynamoDBStore(), operation: "place-order", key: "order.id" }));
 */
export function idempotency<Event, Result>(
  options: Options<readonly [event: Event, context: LambdaContext], Result>,
): IdempotencyMiddleware {
  const operation = compileOperation(options);
  const { binding } = operation.settings;
  /** The claims of the requests that are under way. A request that is not in here has nothing of ours to end. */
  const claims = new WeakMap<MiddyRequest, Claim>();

  return {
    async before(request) {
      const args = [request.event, request.context] as const;
      const begun = await operation.begin(args, request.context);
      switch (begun.status) {
        case "claimed":
          claims.set(request, begun.claim);
          request.context.claim = heldClaim(begun.claim);
          return;
        case "unheld":
          request.context.claim = begun.claim;
          return;
        case "replayed":
          if (binding?.replay !== undefined) throw new Rendered(binding.replay(begun.result, ...args));
          request.earlyResponse = begun.result;
          return;
        case "failed":
          throw begun.error;
        case "refused":
          throw refusal(begun.error, args);
      }
    },

    async after(request) {
      const claim = claims.get(request);
      if (claim === undefined) return;
      if (claim.remainingTimeInMillis() === 0) {
        claim.hold("the response came after the deadline and may not be the handler's");
        return;
      }
      try {
        const answer = await claim.returned(request.response);
        if (answer.status === "replayed")
          request.response = binding?.replay?.(answer.result, request.event, request.context) ?? answer.result;
      } catch (error) {
        throw isIdempotencyError(error) ? refusal(error, [request.event, request.context]) : error;
      }
    },

    // Called for every error of the request, also for those of others and of requests that claimed nothing.
    async onError(request) {
      const error: unknown = request.error;
      if (error instanceof Rendered) request.response = error.response;
      else await claims.get(request)?.threw(error);
    },
  };

  function refusal(error: IdempotencyError, args: readonly unknown[]): Error {
    return binding?.refuse === undefined ? error : new Rendered(binding.refuse(error, ...args));
  }
}
