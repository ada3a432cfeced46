import { vi } from "vitest";
import { type Clock, epochMillis } from "../../../src/core/time.ts";
import type { CurrentClaim, IdempotencyEvent, IdempotencyStore, Options } from "../../../src/index.ts";
import { type Item, number, text } from "../../../src/store/attributes.ts";
import { type MemoryStore, memoryStore } from "../../../src/store/memory.ts";

/** When the tests begin. */
export const START = 1_800_000_000_000;

/** A wall clock that is moved by hand. */
export interface HandClock extends Clock {
  set(at: number): void;
}

/** What the front ends are called with; tests read other parts of it through `key` and `fingerprint`. */
export interface Order {
  readonly id?: unknown;
  readonly amount?: number;
  readonly user?: string;
}

/** The function under protection, with the claim that its front end hands to it. */
export type Fn = (event: Order, claim: CurrentClaim) => unknown;

/** What the handler's place in Lambda gives besides the event. */
export interface TestLambdaContext {
  functionName?: string;
  getRemainingTimeInMillis?(): number;
}

export type Call = (event: Order, context?: TestLambdaContext) => Promise<unknown>;
export type FrontEndOptions = Options<readonly [event: Order, context?: TestLambdaContext], unknown>;

/** Puts a front end around a function. */
export type FrontEnd = (fn: Fn, options: FrontEndOptions) => Call;

/** One operation over a memory store whose clock is moved by hand, with everything that can be looked at. */
export interface Bench {
  readonly clock: HandClock;
  readonly store: MemoryStore;
  /** What the operation is given: `store`, possibly with faults before it. */
  readonly events: IdempotencyEvent[];
  /** Types of the turns that the observer saw, in order. */
  turns(): string[];
  readonly options: FrontEndOptions;
  /** The only item of the store, as raw attributes. */
  item(): Item;
}

/** A wall clock that stands at START until it is set. */
export function handClock(): HandClock {
  let now = START;
  return {
    now: () => epochMillis(now),
    set: (at) => {
      now = at;
    },
  };
}

/** A bench whose operation takes `id` for its key and `amount` for its fingerprint. */
export function bench(
  more: Partial<FrontEndOptions> = {},
  wrap: (store: MemoryStore) => IdempotencyStore = (store) => store,
): Bench {
  const clock = handClock();
  const store = memoryStore({ clock });
  const events: IdempotencyEvent[] = [];
  return {
    clock,
    store,
    events,
    turns: () => events.map(({ type }) => type),
    options: {
      store: wrap(store),
      operation: "place",
      key: "id",
      fingerprint: "amount",
      observe: (event) => void events.push(event),
      ...more,
    },
    item() {
      const [item, ...others] = store.items.values();
      if (item === undefined || others.length > 0) throw new Error(`${store.items.size} items where one was expected`);
      return item;
    },
  };
}

/** A function that stops until it is told to go on. */
export function gate(): { readonly fn: Fn; readonly entered: Promise<void>; open(): void; fail(error: unknown): void } {
  let enter: () => void = () => {};
  const entered = new Promise<void>((resolve) => {
    enter = resolve;
  });
  let open: () => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const opened = new Promise<void>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return {
    entered,
    open: () => open(),
    fail: (error) => fail(error),
    async fn(event) {
      enter();
      await opened;
      return { placed: event.id };
    },
  };
}

/** What a call throws; fails where it throws nothing. */
export async function thrownBy(call: Promise<unknown>): Promise<unknown> {
  const answer = await call.then(
    (result) => ({ result }),
    (error: unknown) => ({ error }),
  );
  if (!("error" in answer)) throw new Error(`nothing was thrown; the answer is ${JSON.stringify(answer.result)}`);
  return answer.error;
}

/** The code of what a call throws. */
export async function codeOf(call: Promise<unknown>): Promise<unknown> {
  return ((await thrownBy(call)) as { code?: unknown } | undefined)?.code;
}

/** The attributes of an item, for a comparison of bytes. */
export const bytesOf = (item: Item): string =>
  JSON.stringify(item, (_, part: unknown) => (part instanceof Uint8Array ? [...part] : part));

/** A Lambda context that always has `remaining` milliseconds left. */
export const contextWith = (remaining: number): TestLambdaContext => ({
  functionName: "shop",
  getRemainingTimeInMillis: () => remaining,
});

/** Changes the store's only item in place of DynamoDB. */
export function tamper({ store, item }: Bench, change: Record<string, Item[string] | undefined>): void {
  const next = { ...item(), ...change };
  const kept = Object.entries(next).filter(([, value]) => value !== undefined);
  store.items.set((next["id"] as { S: string }).S, Object.fromEntries(kept) as Item);
}

export { number, text };

/** A store that answers from `store` unless a verb is replaced. */
export function over(store: IdempotencyStore, verbs: Partial<IdempotencyStore>): IdempotencyStore {
  return {
    clock: store.clock,
    claim: (request) => store.claim(request),
    complete: (request) => store.complete(request),
    release: (claim) => store.release(claim),
    checkpoint: (request) => store.checkpoint(request),
    renew: (request) => store.renew(request),
    commit: store.commit,
    read: (id, options) => store.read(id, options),
    ...verbs,
  };
}

/** The requests that reach a store, by verb and in order. */
export function counted(store: IdempotencyStore, requests: string[]): IdempotencyStore {
  const note = <A>(verb: string, answer: () => Promise<A>): Promise<A> => {
    requests.push(verb);
    return answer();
  };
  return over(store, {
    claim: (request) => note(request.from === undefined ? "claim" : "take over", () => store.claim(request)),
    complete: (request) => note("complete", () => store.complete(request)),
    release: (claim) => note("release", () => store.release(claim)),
    checkpoint: (request) => note("checkpoint", () => store.checkpoint(request)),
    renew: (request) => note("renew", () => store.renew(request)),
    read: (id, options) => note(options.consistent ? "read consistently" : "read", () => store.read(id, options)),
  });
}

/** Runs `test` on a monotonic clock that stands still and is moved by `vi.advanceTimersByTime`. */
export function onStandingClock(test: () => Promise<void>): () => Promise<void> {
  return async () => {
    vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
    try {
      await test();
    } finally {
      vi.useRealTimers();
    }
  };
}
