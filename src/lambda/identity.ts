import { show, toMillis } from "../core/duration.ts";
import { IdempotencyConfigError, isIdempotencyError } from "../core/errors.ts";
import { isPlainObject, kindOf } from "../core/plain.ts";
import { IdempotencyKeyMissingError } from "../core/refusals.ts";
import { compilePart, type IdentityPart, partsText, partText } from "../key/identity.ts";
import { isNothing } from "../key/interpreter.ts";
import type { Identity, Redeem } from "./binding.ts";
import { isContextLike, isPlumbing, type LambdaContext } from "./context.ts";
import type { Settings } from "./options.ts";

/** What a call's record is found by and compared with, as canonical JSON; or that nothing is to be claimed. */
export type Identified =
  | { readonly status: "unheld" }
  | {
      readonly status: "identified";
      readonly key: string;
      /** `undefined`: callers share keys. */
      readonly principal: string | undefined;
      /** `undefined`: nothing is compared. */
      readonly fingerprint: string | undefined;
      readonly retried: boolean;
      /** Where the key is a one-time token. */
      readonly redeem: Redeem | undefined;
      readonly firstSentAt: number | undefined;
      /** Milliseconds; `undefined`: not known. */
      readonly answerWithin: number | undefined;
    };

type Part = (
  args: readonly unknown[],
  bound: Identity | undefined,
  context: LambdaContext | undefined,
) => string | undefined;

/**
 * Compiles how an operation reads a call: an option overrides what the binding gives, and without both
 * the whole first argument is the key. Synchronous: read once, before user code can change the arguments.
 *
 * @throws IdempotencyConfigError at once for a selector that is wrong, at the call for arguments whose key is not clear.
 * The reader throws IdempotencyKeyMissingError and IdempotencyPrincipalMissingError.
 */
export function compileIdentity(
  settings: Settings,
): (args: readonly unknown[], context: LambdaContext | undefined) => Identified {
  const { binding } = settings;
  const lenient = settings.whenKeyMissing === "run";
  const key = part(settings, "key", lenient) ?? ((args, _, context) => wholeText(args, context, lenient));
  const principal = settings.principal === false ? () => undefined : part(settings, "principal", false);
  const fingerprint = part(settings, "fingerprint", false);

  return (args, context) => {
    const bound = binding === undefined ? undefined : identifyBy(binding, args);
    if (bound?.held === false) return { status: "unheld" };
    const keyText = key(args, bound, context);
    if (keyText === undefined) return { status: "unheld" };
    return {
      status: "identified",
      key: keyText,
      principal: principal?.(args, bound, context),
      fingerprint: fingerprint?.(args, bound, context),
      retried: bound?.retried === true,
      redeem: bound?.redeem,
      firstSentAt: bound?.firstSentAt,
      answerWithin:
        binding?.answerWithin === undefined ? undefined : toMillis(binding.answerWithin, "binding.answerWithin"),
    };
  };
}

function part(settings: Settings, name: IdentityPart, lenient: boolean): Part | undefined {
  const source = settings[name];
  if (typeof source === "string" || typeof source === "function") return compilePart(source, name, lenient);
  const { binding } = settings;
  if (binding === undefined) return undefined;
  // A binding that names no principal, or nothing to compare, has none; one that names an empty one lacks it.
  return (_, bound) =>
    name === "key" || (bound !== undefined && name in bound)
      ? partsText(bound?.[name], name, lenient, `the binding ${show(binding.name)} gives`)
      : undefined;
}

/** What a binding reads from the arguments; what it throws counts as an unreadable key. */
function identifyBy(binding: NonNullable<Settings["binding"]>, args: readonly unknown[]): Identity {
  const name = `the binding ${show(binding.name)}`;
  let identity: unknown;
  try {
    identity = binding.identify(...args);
  } catch (cause) {
    if (isIdempotencyError(cause)) throw cause;
    throw new IdempotencyKeyMissingError({ reason: "unreadable", detail: `${name} throws`, cause });
  }
  if (isPlainObject(identity)) return identity as Identity;
  if (identity instanceof Promise) identity.catch(() => undefined);
  throw new IdempotencyConfigError(
    `${name} identifies by ${kindOf(identity)}; allowed is an object, given synchronously`,
  );
}

function wholeText(args: readonly unknown[], context: LambdaContext | undefined, lenient: boolean): string | undefined {
  const whole = wholeArgument(args, context);
  return lenient && isNothing(whole) ? undefined : partText(whole, "key");
}

/** The whole first argument, where nothing else could tell two calls apart. */
function wholeArgument(args: readonly unknown[], context: LambdaContext | undefined): unknown {
  const [event, second, ...rest] = args;
  if ((second !== context && !isContextLike(second)) || !rest.every(isPlumbing)) {
    throw new IdempotencyConfigError(
      "the function was called with several arguments and the option key is not given; say what makes two calls the same",
    );
  }
  if (typeof event === "object" && event !== null && ("requestContext" in event || "Records" in event)) {
    throw new IdempotencyConfigError(
      `the argument is a raw trigger event (it has ${"Records" in event ? "Records" : "requestContext"}), which is never equal twice; give a key, such as 'json(body).orderId', or a binding`,
    );
  }
  return event;
}
