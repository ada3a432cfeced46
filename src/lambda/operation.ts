import { answerFrom, type Begun, begin } from "../core/begin.ts";
import { checkOperation } from "../core/check.ts";
import { type Engine, tell } from "../core/engine.ts";
import {
  IdempotencyConfigError,
  type IdempotencyError,
  IdempotencyReentrantError,
  isIdempotencyError,
} from "../core/errors.ts";
import { IdempotencyForbiddenError, IdempotencyRequestTooOldError, IdempotencyTokenError } from "../core/refusals.ts";
import { storeInUse } from "../core/store-in-use.ts";
import { nowOf } from "../core/time.ts";
import { fingerprintHash, recordId } from "../key/hash.ts";
import { partText } from "../key/identity.ts";
import type { Redeem } from "./binding.ts";
import { cachedStore } from "./cached-store.ts";
import { contextAmong, isContextLike, type LambdaContext, refuseUnsupported, remainingTime } from "./context.ts";
import { currentFrame, isHeldByCaller } from "./frames.ts";
import { compileIdentity, type Identified } from "./identity.ts";
import { type Options, readOptions, type Settings } from "./options.ts";
import { recentKeys } from "./recent.ts";
import { type Unheld, unheld } from "./unheld.ts";

/** How one call goes on. `unheld`: the function runs, nothing is claimed and nothing stored. */
export type Call = Begun | Unheld;

/** A call whose key is read and not claimed yet. */
export interface PreparedCall {
  /** The operation, as this call uses it. */
  readonly engine: Engine;
  /** What it will claim; both `undefined` where it claims nothing, or where the key cannot be read. */
  readonly id: string | undefined;
  readonly fingerprint: string | undefined;
  begin(): Promise<Call>;
}

/** One business operation: its options, checked and compiled. */
export interface Operation {
  readonly settings: Settings;
  /**
   * Reads the key from the arguments now, to be claimed later. `outermost`: the call begins a request, so that what its
   * context holds is not around it.
   *
   * @throws IdempotencyConfigError where the operation cannot be called like this; all else is an answer
   */
  prepare(args: readonly unknown[], context: LambdaContext | undefined, outermost?: boolean): PreparedCall;
}

/** How many operations of this process use the Lambda's name. Records of two of them would meet. */
let unnamed = 0;

/**
 * Checks and compiles an operation, once, for the front ends. `suffix` is appended to its name.
 *
 * @throws IdempotencyConfigError for what is wrong with the options, and for a second operation without a name
 */
export function compileOperation<Args extends readonly unknown[], Result>(
  options: Options<Args, Result>,
  suffix = "",
): Operation {
  const settings = readOptions(options);
  if (settings.binding?.redeems === true) refuseAtCommit(settings.engine);
  const identify = compileIdentity(settings);
  const recent = recentKeys();
  const { store: ownStore } = settings.engine;
  const { cache } = settings;
  const cached = cache === undefined ? undefined : cachedStore(ownStore, settings.engine.codec, cache);
  const asksFirst = settings.binding?.authorize !== undefined;
  if (settings.operation !== undefined) checkOperation(settings.operation + suffix);
  else if (++unnamed > 1) {
    throw new IdempotencyConfigError(
      "operation is not given, for the second time in this process; one wrapper may go without, since it takes the Lambda's name",
    );
  }

  let own: Engine | undefined;
  function engineFor(args: readonly unknown[], context: LambdaContext | undefined): Engine {
    own ??= { ...settings.engine, store: cached ?? ownStore, operation: nameOf(settings, args, context) + suffix };
    const store = storeInUse(ownStore);
    return store === ownStore ? own : { ...own, store };
  }

  function prepare(args: readonly unknown[], context: LambdaContext | undefined, outermost = false): PreparedCall {
    refuseUnsupported(args);
    const engine = engineFor(args, context);
    const nothing = { engine, id: undefined, fingerprint: undefined };

    let identity: Identified;
    let token: ReturnType<Redeem> | undefined;
    try {
      identity = identify(args, context);
      if (identity.status === "identified" && identity.redeem !== undefined) token = redeemed(engine, identity);
    } catch (error) {
      if (!isIdempotencyError(error) || error.code === "config") throw error;
      return { ...nothing, begin: async () => refused(engine, undefined, error) };
    }
    if (identity.status === "unheld") {
      return {
        ...nothing,
        async begin() {
          if (asksFirst && (await isForbidden(settings, args)))
            return refused(engine, undefined, new IdempotencyForbiddenError());
          tell(engine, undefined, { type: "unheld" });
          return unheld(engine, remainingTime(context));
        },
      };
    }

    const { principal, fingerprint, retried, firstSentAt, answerWithin } = identity;
    const key = token === undefined ? identity.key : partText(token.key, "key");
    const ids = settings.secrets.map((secret) => ({
      id: recordId({ operation: engine.operation, principal, key, secret }),
      fingerprint: fingerprint === undefined ? undefined : fingerprintHash(fingerprint, secret),
    }));
    const current = ids[0] as (typeof ids)[number];
    const { id } = current;
    return {
      engine,
      async begin() {
        if (asksFirst && (await isForbidden(settings, args)))
          return refused(engine, id, new IdempotencyForbiddenError());
        const { retention } = engine;
        if (token !== undefined && token.until * 1000 + retention <= nowOf(engine.store.clock)) {
          return refused(engine, id, new IdempotencyTokenError({ reason: "ended" }));
        }
        if (firstSentAt !== undefined && firstSentAt + retention <= nowOf(engine.store.clock)) {
          return refused(engine, id, new IdempotencyRequestTooOldError({ retention }));
        }
        if (isHeldByCaller(ids, outermost ? undefined : context)) {
          return refused(engine, id, new IdempotencyReentrantError());
        }
        const known = engine.store === cached ? cached.known(id) : undefined;
        const answered = known && (await answerFrom(engine, current, known));
        if (answered !== undefined) return answered;
        const remaining = remainingTime(context);
        const repeated = recent.note(id) || retried;
        const lookFirst = settings.lookup === "first" || (settings.lookup === "auto" && repeated);
        const issuedUntil = token?.until;
        const about = { remaining, answerWithin, issuedUntil };
        const previous = ids.slice(1).map((older) => ({ lookFirst: false, ...about, ...older }));
        return await begin(engine, { lookFirst, ...about, ...current }, previous);
      },
      ...current,
    };
  }

  return { settings, prepare };
}

/** A token is redeemed before the function runs: what a commit claims nobody has asked for before. */
function refuseAtCommit({ claimAt }: Pick<Engine, "claimAt">): void {
  if (claimAt !== "commit") return;
  throw new IdempotencyConfigError(
    "the key is a one-time token, which is redeemed before the function; allowed is claimAt 'start'",
  );
}

/** What the one-time token in the key's place holds. */
function redeemed(engine: Engine, { key, principal, redeem }: Extract<Identified, { status: "identified" }>) {
  refuseAtCommit(engine);
  return redeem?.(JSON.parse(key) as string, { operation: engine.operation, principal });
}

/** The context of a call: its own, else that of the wrapped function around it. */
export function contextOf(args: readonly unknown[]): LambdaContext | undefined {
  return contextAmong(args) ?? currentFrame()?.context;
}

function nameOf(settings: Settings, args: readonly unknown[], context: LambdaContext | undefined): string {
  const second = isContextLike(args[1]) ? args[1] : undefined;
  const name =
    settings.operation ?? process.env["AWS_LAMBDA_FUNCTION_NAME"] ?? context?.functionName ?? second?.functionName;
  if (name === undefined || name === "") {
    throw new IdempotencyConfigError(
      "operation is not given and there is no Lambda whose name could stand for it; give the operation a name",
    );
  }
  return checkOperation(name);
}

/** Whether the binding's `authorize` refuses this call: before an execution and before a replay alike. */
async function isForbidden({ binding }: Settings, args: readonly unknown[]): Promise<boolean> {
  return (await binding?.authorize?.(...args)) !== true;
}

function refused(engine: Engine, id: string | undefined, error: IdempotencyError): Call {
  tell(engine, id, { type: "refused", code: error.code, error });
  return { status: "refused", error };
}
