import { randomBytes } from "node:crypto";
import type { IdempotencyStore } from "../../src/core/store.ts";
import { issueToken, type TokenOptions, token } from "../../src/guards.ts";
import type { HttpOptions } from "../../src/http.ts";
import type { Options } from "../../src/index.ts";
import { type TestingStore, testingStore } from "../../src/testing.ts";
import { type Endpoint, endpoint, type FrontEnd } from "../lambda/http/kit.ts";

/** Another secret each time. */
export const secret = (): string => randomBytes(32).toString("base64");

export const SECRETS: TokenOptions["secrets"] = [secret()];
export const OPERATION = "orders";
/** How long the tests' tokens may be redeemed; the answers of the operation are kept for an hour. */
export const LIFETIME = { minutes: 15 };
export const RETENTION = { hours: 1 };

/** A store that writes down which verbs were asked for. */
function watched<Store extends IdempotencyStore>(store: Store): { store: Store; asked: string[] } {
  const asked: string[] = [];
  const proxy = new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name);
      const isVerb = typeof value === "function" && !["advance", "crash", "failNext", "records"].includes(String(name));
      if (!isVerb) return value;
      return (...args: unknown[]) => {
        asked.push(String(name));
        return Reflect.apply(value, target, args);
      };
    },
  });
  return { store: proxy, asked };
}

type Args = readonly [event: never, context?: unknown];
type Operation = Partial<Options<Args, unknown>> & { readonly make?: FrontEnd };

/** An endpoint whose key is a one-time token, and its tokens. */
export interface TokenEndpoint extends Omit<Endpoint, "store"> {
  readonly store: TestingStore;
  /** The verbs that the store was asked for. */
  readonly asked: string[];
  /** A new token for `principal`. */
  issue(
    principal?: unknown,
    more?: { readonly operation?: string; readonly secrets?: TokenOptions["secrets"] },
  ): Promise<string>;
  /** A request with a token. */
  redeem(oneTime: string, more?: { readonly user?: string; readonly body?: string }): ReturnType<Endpoint["send"]>;
}

export function tokenEndpoint(
  { secrets = SECRETS, ...options }: Partial<HttpOptions> & Partial<TokenOptions> = {},
  { store: given = testingStore(), ...operation }: Omit<Operation, "store"> & { readonly store?: TestingStore } = {},
): TokenEndpoint {
  const { store, asked } = watched(given);
  const made = endpoint({ key: token({ secrets }), ...options }, {
    store,
    operation: OPERATION,
    expiresAfter: RETENTION,
    ...operation,
  } as never);
  return {
    ...made,
    store,
    asked,
    issue: (principal = "ann", more = {}) =>
      issueToken({ store: given, operation: OPERATION, principal, expiresAfter: LIFETIME, secrets, ...more }),
    redeem: (oneTime, more = {}) => made.send({ headers: { "Idempotency-Key": oneTime }, ...more }),
  };
}

/** An answer that is not remembered: the business operation has failed. */
export const failed = {
  statusCode: 409,
  headers: { "Content-Type": "application/json" },
  body: '{"message":"sold out"}',
};
