import type { Claim } from "../core/claim.ts";
import { IdempotencyStoreError, isIdempotencyError } from "../core/errors.ts";
import type { Answer } from "../core/settle.ts";
import { reducerOf } from "./binding.ts";
import type { LambdaContext } from "./context.ts";
import { type CurrentClaim, showClaim } from "./frames.ts";
import { watchAnswer } from "./middy-answer.ts";
import { compileOperation } from "./operation.ts";
import type { Options } from "./options.ts";
import type { Unheld } from "./unheld.ts";

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

/** Carries an answer out of `before`, so that the `onError` hooks of others (CORS) still apply to it. */
class Answered extends Error {
  constructor() {
    super("the idempotency middleware has answered this request");
  }
}

/** The answer in the place of one whose writes were dropped. */
const tooLate = (): IdempotencyStoreError =>
  new IdempotencyStoreError({
    reason: "timeout",
    detail: "the response came after the claim's deadline, so that its writes were not committed",
  });

/** The like of `handlerReturned` for a request without a claim. */
async function unclaimedReturned(unclaimed: Unheld): Promise<void> {
  const late = unclaimed.overdue();
  if (late) unclaimed.end();
  await unclaimed.returned();
  if (late && unclaimed.mustCommit()) throw tooLate();
}

/**
 * A Middy middleware that runs the handler once per key, and gives duplicates its result. The handler
 * finds its claim at `context.claim`.
 *
 * Use it **last**: its `after` then stores what the handler itself returned, before other hooks change it,
 * and a hook of others that fails later changes nothing about the record. A replay leaves by Middy's
 * `earlyResponse`, which skips all `after` hooks, and a refusal is thrown; where a binding renders them (`replay`,
 * `refuse`), they pass through the `onError` hooks instead. Once the claim's deadline has passed nothing is
 * stored and nothing released: what Middy's `timeoutEarly` answers is not the handler's result. A response that comes
 * then passes where the claim collected no writes; where it did, it is refused (`store_failed`), since they were not
 * committed. (`deadlineMargin` has to be longer than Middy's `timeoutEarlyInMillis`; both defaults are.)
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
  /** The requests that run without a claim, and whose writes commit alone. */
  const unheldCalls = new WeakMap<MiddyRequest, Unheld>();
  /** How to learn what the handlers of these requests answered, before other hooks changed it. */
  const handlerAnswers = new WeakMap<MiddyRequest, ReturnType<typeof watchAnswer>>();
  /** The answers that are on their way through `onError`. */
  const answers = new WeakMap<MiddyRequest, { readonly response: unknown }>();

  return {
    async before(request) {
      const args = [request.event, request.context] as const;
      // A test may share one context between concurrent requests: what it shows is then another request's claim.
      const begun = await operation.prepare(args, request.context, true).begin();
      switch (begun.status) {
        case "claimed":
          claims.set(request, begun.claim);
          handlerAnswers.set(request, watchAnswer(request));
          showClaim(request.context, begun.claim, reducerOf(binding, args));
          return;
        case "unheld":
          unheldCalls.set(request, begun);
          request.context.claim = begun.claim;
          return;
        case "replayed":
          if (binding?.replay === undefined) request.earlyResponse = begun.result;
          else answer(request, binding.replay(begun.result, ...args));
          return;
        case "failed":
        case "refused":
          refuse(request, begun.error);
      }
    },

    async after(request) {
      const claim = claims.get(request);
      const unclaimed = unheldCalls.get(request);
      try {
        if (unclaimed !== undefined && binding?.unheld !== undefined) {
          request.response = binding.unheld(request.response, request.event, request.context);
        }
        if (unclaimed !== undefined) await unclaimedReturned(unclaimed);
        if (claim === undefined) return;
        const answered = await handlerReturned(claim, request, request.response);
        if (answered === undefined) return;
        const { status, result } = answered;
        const render = status === "executed" ? binding?.executed : binding?.replay;
        request.response = render === undefined ? result : render.call(binding, result, request.event, request.context);
      } catch (error) {
        refuse(request, error);
      }
    },

    // Called for every error of the request, also for those of others and of requests that claimed nothing.
    async onError(request) {
      const answered = answers.get(request);
      const claim = claims.get(request);
      unheldCalls.get(request)?.end();
      const error: unknown = request.error;
      const handlerAnswer = handlerAnswers.get(request)?.();
      if (answered !== undefined) request.response = answered.response;
      else if (handlerAnswer !== undefined && claim?.ended() === false) {
        // Another hook has failed after the handler: its effect is done, and its answer is the operation's.
        await handlerReturned(claim, request, handlerAnswer.response).catch(() => undefined);
        // http-error-handler puts a plain object in the place of the error when its hook runs before this one.
      } else if (request.response !== undefined && !(error instanceof Error)) {
        claim?.hold("another onError hook has replaced the error; use the idempotency middleware last");
      } else {
        const winner = await claim?.threw(error);
        if (winner === undefined) return;
        const { event, context } = request;
        request.response =
          binding?.replay === undefined ? winner.result : binding.replay(winner.result, event, context);
      }
    },
  };

  /**
   * After the deadline it may be Middy's `timeoutEarlyResponse` that has answered, while the handler still runs: the response
   * is left as it is (`undefined`), where nothing had to be committed with it. A claim that is lost has the winner's answer.
   */
  async function handlerReturned(claim: Claim, request: MiddyRequest, response: unknown): Promise<Answer | undefined> {
    const reduce = reducerOf(binding, [request.event, request.context]);
    if (!claim.overdue() || claim.lost()) return await claim.returned(response, reduce);
    const mustCommit = claim.mustCommit();
    claim.hold("the response came after the deadline and may not be the handler's");
    // Nothing is written any more; what a commit of the handler's own has come to is still the answer.
    const answer = await claim.returned(response, reduce);
    if (answer.status === "replayed" || answer.kept) return answer;
    if (mustCommit) throw tooLate();
    return undefined;
  }

  /** Middy takes `undefined` from an `onError` hook for no answer: that one leaves early. */
  function answer(request: MiddyRequest, response: unknown): void {
    if (response === undefined) {
      request.earlyResponse = undefined;
      return;
    }
    answers.set(request, { response });
    throw new Answered();
  }

  /** Our own errors are refusals, which a binding may render; a kept error speaks for the handler and is thrown. */
  function refuse(request: MiddyRequest, error: unknown): void {
    if (binding?.refuse === undefined || !isIdempotencyError(error)) throw error;
    answer(request, binding.refuse(error, request.event, request.context));
  }
}
