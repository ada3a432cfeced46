import { beforeAll, describe, expect, it } from "vitest";
import type { IdempotencyStore } from "../../src/core/store.ts";
import { type Clock, epochMillis } from "../../src/core/time.ts";
import type { Item } from "../../src/store/attributes.ts";
import { describeCheckpoints } from "./checkpoints.ts";
import { describeCompletions } from "./completions.ts";
import { describeEndings } from "./endings.ts";
import { describeFirstClaims } from "./first-claims.ts";
import { describeRenewals } from "./renewals.ts";
import { START } from "./requests.ts";
import { describeSuccessions } from "./successions.ts";
import { describeTokens } from "./tokens.ts";

/** A clock that is moved by hand. */
export interface HandClock extends Clock {
  set(at: number): void;
}

/** A store, and a way to its raw items beside it. */
export interface StoreUnderTest {
  readonly store: IdempotencyStore;
  seed(item: Item): Promise<void>;
  raw(id: string): Promise<Item | undefined>;
  readonly clock: HandClock;
}

/** A clock that stands at `at` until it is set. */
export function handClock(at: number): HandClock {
  let now = at;
  return {
    now: () => epochMillis(now),
    set: (next) => {
      now = next;
    },
  };
}

/**
 * What every store has to do, to the letter of its conditions. `makeStore` is called once; its clock
 * stands at START, and no test waits.
 */
export function describeStore(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps the contract of a store`, () => {
    let made: StoreUnderTest;
    beforeAll(async () => {
      made = await makeStore();
    });
    const store: StoreUnderTest["store"] = {
      get clock() {
        return made.store.clock;
      },
      claim: (request) => made.store.claim(request),
      issue: (request) => (made.store.issue as NonNullable<IdempotencyStore["issue"]>)(request),
      complete: (request) => made.store.complete(request),
      release: (claim) => made.store.release(claim),
      checkpoint: (request) => made.store.checkpoint(request),
      renew: (request) => made.store.renew(request),
      read: (id, options) => made.store.read(id, options),
    };
    const under = { store, seed: (item: Item) => made.seed(item), raw: (id: string) => made.raw(id) };

    it("has the clock that it was given", () => {
      made.clock.set(START + 7);
      expect(store.clock.now()).toBe(START + 7);
      made.clock.set(START);
    });

    describeFirstClaims(under);
    describeSuccessions(under);
    describeTokens(under);
    describeCompletions(under);
    describeEndings(under);
    describeCheckpoints(under);
    describeRenewals(under);
  });
}
