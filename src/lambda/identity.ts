import { IdempotencyConfigError, IdempotencyKeyMissingError } from "../core/errors.ts";
import { compilePart, type IdentityPart, partText } from "../key/identity.ts";
import type { Identity } from "./binding.ts";
import { isContextLike } from "./context.ts";
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
    };

type Part = (args: readonly unknown[], bound: Identity | undefined) => string | undefined;

/**
 * Compiles how an operation reads a call: an option overrides what the binding gives, and without both
 * the whole first argument is the key. Synchronous: read once, before user code can change the arguments.
 *
 * @throws IdempotencyConfigError at once for a selector that is wrong, at the call for arguments whose key is not clear.
 * The reader throws IdempotencyKeyMissingError and IdempotencyPrincipalMissingError.
 */
export function compileIdentity(settings: Settings): (args: readonly unknown[]) => Identified {
  const { binding } = settings;
  const key = part(settings, "key") ?? ((args) => partText(wholeArgument(args), "key"));
  const principal = settings.principal === false ? () => undefined : part(settings, "principal");
  const fingerprint = part(settings, "fingerprint");

  return (args) => {
    const bound = binding?.identify(...args);
    if (bound?.held === false) return { status: "unheld" };
    let keyText: string;
    try {
      keyText = key(args, bound) as string;
    } catch (error) {
      const missing = error instanceof IdempotencyKeyMissingError && error.reason === "missing";
      if (missing && settings.whenKeyMissing === "run") return { status: "unheld" };
      throw error;
    }
    return {
      status: "identified",
      key: keyText,
      principal: principal?.(args, bound),
      fingerprint: fingerprint?.(args, bound),
      retried: bound?.retried === true,
    };
  };
}

function part(settings: Settings, name: IdentityPart): Part | undefined {
  const source = settings[name];
  if (typeof source === "string" || typeof source === "function") return compilePart(source, name);
  if (settings.binding === undefined) return undefined;
  if (name === "key") return (_, bound) => partText(bound?.key, name);
  // A binding that names no principal, or nothing to compare, has none; one that names an empty one lacks it.
  return (_, bound) => (bound !== undefined && name in bound ? partText(bound[name], name) : undefined);
}

/** The whole first argument, where nothing else could tell two calls apart. */
function wholeArgument(args: readonly unknown[]): unknown {
  if (args.length > 1 && !isContextLike(args[1])) {
    throw new IdempotencyConfigError(
      "the function was called with several arguments and the option key is not given; say what makes two calls the same",
    );
  }
  const [event] = args;
  if (typeof event === "object" && event !== null && ("requestContext" in event || "Records" in event)) {
    throw new IdempotencyConfigError(
      `the argument is a raw trigger event (it has ${"Records" in event ? "Records" : "requestContext"}), which is never equal twice; give a key, such as 'json(body).orderId', or a binding`,
    );
  }
  return event;
}
