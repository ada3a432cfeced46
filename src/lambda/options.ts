import { json } from "../codec/json.ts";
import { checkOperation, refuseValue } from "../core/check.ts";
import type { Codec } from "../core/codec.ts";
import { type Duration, show, toMillis } from "../core/duration.ts";
import type { Engine, Remember } from "../core/engine.ts";
import { IdempotencyConfigError } from "../core/errors.ts";
import type { Observer } from "../core/observe.ts";
import { isRecord } from "../core/plain.ts";
import type { IdempotencyStore } from "../core/store.ts";
import { validateSecrets } from "../key/hash.ts";
import type { Binding } from "./binding.ts";
import type { CacheLimits } from "./cached-store.ts";
import { processRuntime } from "./runtime.ts";

/** A JMESPath expression over the first argument, or a function of all arguments. */
export type Selector<Args extends readonly unknown[]> = string | ((...args: Args) => unknown);

/** What an operation can be told. Checked at construction; an unknown name or a bad value is an `IdempotencyConfigError`. */
export interface Options<Args extends readonly unknown[], Result> {
  /** Where the records live: `dynamoDBStore()`, `memoryStore()`. */
  readonly store: IdempotencyStore;
  /**
   * The name of the business operation; records of different names never meet. 1 to 255 visible ASCII characters.
   *
   * @default the Lambda's name, for the only wrapper in a process
   */
  readonly operation?: string;
  /** How the event gives key, principal and fingerprint, and how outcomes are rendered. Default: refusals are thrown. */
  readonly binding?: Binding<Args, Result>;
  /** What makes two calls the same. Default: the whole first argument, for `f(x)` and `handler(event, context)`. */
  readonly key?: Selector<Args>;
  /** Whose key it is; equal keys of different principals never meet. `false`: callers share keys. Default: none. */
  readonly principal?: Selector<Args> | false;
  /** What must not differ between two calls with the same key. Default: none. */
  readonly fingerprint?: Selector<Args>;
  /** How long a stored outcome answers. Default: 24 hours. */
  readonly expiresAfter?: Duration;
  /** How long the key is locked while the function runs. Default: the Lambda's remaining time and `lockMargin`; one minute outside of Lambda. */
  readonly lockFor?: Duration;
  /** Added to the default lock: what the clocks of two machines may differ by. Default: 5 seconds. */
  readonly lockMargin?: Duration;
  /** Kept free before the lock's and the Lambda's end to store the result. Default: half a second; 7 seconds with writes, where the time allows. */
  readonly deadlineMargin?: Duration;
  /**
   * When the key is claimed: before the function, or by the commit of its writes. With `'commit'`, one request in all, for
   * functions whose only effects are `claim.write(...)`: duplicates may compute at the same time, and one commits. Default: `'start'`.
   */
  readonly claimAt?: "start" | "commit";
  /**
   * A call whose first is still running is refused with `IdempotencyInProgressError`, or waits for its answer, as long as
   * it may (25 seconds under `http()`). Default: `'reject'`.
   */
  readonly whenInProgress?: "reject" | "wait" | { readonly wait: Duration };
  /** A call whose first has completed gets its result, or is refused with `IdempotencyDuplicateError`. Default: `'replay'`. */
  readonly whenCompleted?: "replay" | "reject";
  /** A call without a key is refused with `IdempotencyKeyMissingError`, or runs without any protection. Default: `'reject'`. */
  readonly whenKeyMissing?: "reject" | "run";
  /** A call whose first never ended (a crash) runs again, told so by `attempt`, or waits for an operator. Default: `'rerun'`. */
  readonly whenAbandoned?: "rerun" | "reject";
  /** What becomes of the key after the function. Default: results are kept, errors release, unknown outcomes hold. */
  readonly remember?: (
    outcome:
      | { readonly status: "returned"; readonly result: Result }
      | { readonly status: "threw"; readonly error: unknown },
    about: { readonly attempt: number; readonly steps: readonly string[] },
  ) => "keep" | "release" | "hold";
  /** How results become bytes. Default: `json()`. */
  readonly codec?: Codec;
  /** Told of every turn; never awaited. */
  readonly observe?: Observer;
  /**
   * Completed results are kept in this process as well, so many of them and so many bytes, until their records expire: a
   * replay of one of them costs no request. Default: `false`.
   */
  readonly cache?: false | { readonly entries: number; readonly bytes: number };
  /** Whether a call looks at the record before it claims: always, never, or where it is probably a repetition. Default: `'auto'`. */
  readonly lookup?: "auto" | "first" | "never";
  /** Keys and fingerprints are hashed with the first of these secrets, 32 bytes or more each; records of the others are still found. */
  readonly secret?: readonly [string | Uint8Array, ...(string | Uint8Array)[]];
}

/** The values of the options that name one of a few. */
const CHOICES: Readonly<Record<string, readonly [fallback: string, ...others: string[]]>> = {
  claimAt: ["start", "commit"],
  whenCompleted: ["replay", "reject"],
  whenKeyMissing: ["reject", "run"],
  whenAbandoned: ["rerun", "reject"],
  lookup: ["auto", "first", "never"],
};

const KNOWN: readonly string[] = [
  ...Object.keys(CHOICES),
  ...[
    "whenInProgress",
    "store",
    "operation",
    "binding",
    "key",
    "principal",
    "fingerprint",
    "expiresAfter",
    "lockFor",
    "lockMargin",
  ],
  ...["deadlineMargin", "remember", "codec", "observe", "cache", "secret"],
];

const keepResults: Remember = (outcome) => (outcome.status === "returned" ? "keep" : "release");

/** Validated options, as the front ends use them. */
export interface Settings {
  readonly operation: string | undefined;
  readonly binding: Binding<readonly unknown[], unknown> | undefined;
  readonly key: Selector<readonly unknown[]> | undefined;
  readonly principal: Selector<readonly unknown[]> | false | undefined;
  readonly fingerprint: Selector<readonly unknown[]> | undefined;
  readonly whenKeyMissing: "reject" | "run";
  readonly lookup: "auto" | "first" | "never";
  readonly cache: CacheLimits | undefined;
  /** The current secret and the previous ones; one `undefined` where none is used. */
  readonly secrets: readonly (string | Uint8Array | undefined)[];
  readonly engine: Omit<Engine, "operation">;
}

/**
 * Checks what a user gave, before anything runs.
 *
 * @throws IdempotencyConfigError that says what was given and what is allowed
 */
export function readOptions<Args extends readonly unknown[], Result>(given: Options<Args, Result>): Settings {
  if (!isRecord(given)) refuse(`the options are ${show(given)}; allowed is an object with a store`);
  for (const name of Object.keys(given)) {
    if (!KNOWN.includes(name)) refuse(`there is no option '${name}'; allowed are ${[...KNOWN].sort().join(", ")}`);
  }
  for (const name of Object.keys(CHOICES)) choice(given, name);
  const binding = bindingOf(given.binding);
  const expiresAfter = given.expiresAfter === undefined ? binding?.expiresAfter : given.expiresAfter;
  const retention = duration(expiresAfter, "expiresAfter", { hours: 24 });
  const lockFor = given.lockFor === undefined ? undefined : toMillis(given.lockFor, "lockFor");
  const deadlineMargin = duration(given.deadlineMargin, "deadlineMargin", { seconds: 0.5 });
  if (lockFor !== undefined && lockFor > retention) {
    refuse(`expiresAfter is ${retention} ms, shorter than lockFor, ${lockFor} ms; a record must outlive its lock`);
  }
  if (lockFor !== undefined && lockFor <= deadlineMargin) {
    refuse(
      `lockFor is ${lockFor} ms, not longer than deadlineMargin, ${deadlineMargin} ms; the function would have no time to run`,
    );
  }
  const claimAt = choice<"start" | "commit">(given, "claimAt");
  if (claimAt === "commit") refuseWithCommit(given);

  return {
    operation: given.operation === undefined ? undefined : checkOperation(given.operation),
    binding,
    key: selector(given.key, "key"),
    principal: given.principal === false ? false : selector(given.principal, "principal", " or false"),
    fingerprint: selector(given.fingerprint, "fingerprint"),
    whenKeyMissing: choice(given, "whenKeyMissing"),
    lookup: choice(given, "lookup"),
    cache: cacheOf(given.cache),
    secrets: validateSecrets(given.secret) ?? [undefined],
    engine: {
      store: storeOf(given.store),
      codec: codecOf(given.codec),
      observe: callable(given.observe, "observe"),
      policies: { whenCompleted: choice(given, "whenCompleted"), whenAbandoned: choice(given, "whenAbandoned") },
      remember: (callable(given.remember, "remember") as Remember | undefined) ?? binding?.remember ?? keepResults,
      retention,
      lockFor,
      lockMargin: duration(given.lockMargin, "lockMargin", { seconds: 5 }),
      deadlineMargin,
      commitMargin: duration(given.deadlineMargin, "deadlineMargin", { seconds: 7 }),
      claimAt,
      patience: patienceOf(given.whenInProgress),
      runtime: processRuntime,
    },
  };
}

/** How long a call waits for the one that runs, in milliseconds; 0: not at all, `undefined`: as long as it may. */
function patienceOf(given: unknown): number | undefined {
  if (given === undefined || given === "reject") return 0;
  if (given === "wait") return undefined;
  if (Object.keys(Object(given)).join() === "wait") {
    return toMillis((given as { wait: Duration }).wait, "whenInProgress.wait");
  }
  return refuseValue("whenInProgress", given, "are 'reject', 'wait', { wait: duration }");
}

/** Without a lock there is nothing to wait for, to renew or to find abandoned. */
function refuseWithCommit(given: object): void {
  const { whenInProgress } = given as { whenInProgress?: unknown };
  const named = ["lockFor", "lockMargin", "whenAbandoned"].find(
    (name) => (given as Record<string, unknown>)[name] !== undefined,
  );
  const other = named ?? (whenInProgress === undefined || whenInProgress === "reject" ? undefined : "whenInProgress");
  if (other !== undefined) {
    refuse(`${other} is given with claimAt 'commit', which takes no lock; allowed is ${other} with claimAt 'start'`);
  }
}

function duration(given: Duration | undefined, name: string, fallback: Duration): number {
  return toMillis(given === undefined ? fallback : given, name);
}

function choice<Value extends string>(given: object, name: string): Value {
  const allowed = CHOICES[name] as readonly [string, ...string[]];
  const chosen = (given as Record<string, unknown>)[name];
  const value = chosen === undefined ? allowed[0] : chosen;
  if (!allowed.includes(value as string)) {
    refuseValue(name, value, `are ${allowed.map(show).join(", ")}`);
  }
  return value as Value;
}

function selector(given: unknown, name: string, more = ""): Selector<readonly unknown[]> | undefined {
  if (given === undefined || typeof given === "string" || typeof given === "function") {
    return given as Selector<readonly unknown[]> | undefined;
  }
  return refuseValue(name, given, `is a JMESPath expression, a function${more}`);
}

function callable<F>(given: F | undefined, name: string): F | undefined {
  if (given !== undefined && typeof given !== "function") refuseValue(name, given, "is a function");
  return given;
}

function cacheOf(given: unknown): CacheLimits | undefined {
  if (given === undefined || given === false) return undefined;
  const { entries, bytes, ...others } = Object(given) as Partial<CacheLimits>;
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0;
  if (isCount(entries) && isCount(bytes) && Object.keys(others).length === 0) return { entries, bytes };
  return refuseValue("cache", given, "are false and { entries, bytes }, whole numbers above zero");
}

/** @throws IdempotencyConfigError for what is no store */
export function storeOf(given: unknown): IdempotencyStore {
  const allowed = "dynamoDBStore(), memoryStore() or another IdempotencyStore";
  if (given === undefined) return refuse(`store is not given; allowed is ${allowed}`);
  const lacked =
    lacking(given, ["claim", "complete", "release", "checkpoint", "renew", "read"]) ??
    lacking(Object(given).clock, ["now"]);
  return lacked === undefined
    ? (given as IdempotencyStore)
    : refuse(`store is ${show(given)}${lacked}; allowed is ${allowed}`);
}

function bindingOf(given: unknown): Settings["binding"] {
  if (given === undefined) return undefined;
  const lacked = lacking(given, ["identify"]);
  if (lacked !== undefined)
    return refuse(`binding is ${show(given)}${lacked}; allowed is an object with a name and identify()`);
  const binding = given as NonNullable<Settings["binding"]>;
  for (const part of ["authorize", "store", "executed", "unheld", "replay", "refuse", "remember"] as const)
    callable(binding[part], `binding.${part}`);
  return binding;
}

function codecOf(given: Codec | undefined): Codec {
  if (given === undefined) return json();
  const lacked = lacking(given, ["encode", "decode"]);
  return lacked === undefined
    ? given
    : refuse(`codec is ${show(given)}${lacked}; allowed is an object with encode() and decode()`);
}

/** What of these methods an object has not, for a sentence; `undefined` where it has all. */
function lacking(given: unknown, methods: readonly string[]): string | undefined {
  if (typeof given !== "object" || given === null) return "";
  const lacked = methods.find((name) => typeof (given as Record<string, unknown>)[name] !== "function");
  return lacked === undefined ? undefined : ` without ${lacked}()`;
}

function refuse(sentence: string): never {
  throw new IdempotencyConfigError(sentence);
}
