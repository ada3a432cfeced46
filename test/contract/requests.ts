import { randomUUID } from "node:crypto";
import type { ClaimRequest, CompleteRequest } from "../../src/core/store.ts";
import { type EpochSeconds, epochMillis } from "../../src/core/time.ts";
import type { Item } from "../../src/store/attributes.ts";
import { toItem } from "../../src/store/item.ts";

/** September 2001: a TTL never deletes what expired more than five years ago, so the tests' expired records stay. */
export const START = 1_000_000_000_000;

/** The second in which START lies. */
export const SECOND: number = START / 1000;

/** An id that no other test has. */
export const freshId = (): string => `order#${randomUUID()}`;

/** A first claim by `first`, at START, for 30 seconds. */
export const ask = (id: string, more: Partial<ClaimRequest> = {}): ClaimRequest => ({
  id,
  owner: "first",
  now: epochMillis(START),
  lockedUntil: epochMillis(START + 30_000),
  expiresAt: (SECOND + 90) as EpochSeconds,
  fingerprint: "print",
  ...more,
});

/** The completion of that claim. */
export const done = (id: string, more: Partial<CompleteRequest> = {}): CompleteRequest => ({
  id,
  owner: "first",
  status: "COMPLETED",
  result: { encoding: "json", data: '{"ok":true}' },
  completedAt: epochMillis(START + 1_000),
  expiresAt: (SECOND + 86_400) as EpochSeconds,
  ...more,
});

/** That claim as another contender has seen it. */
export const from = { status: "IN_PROGRESS", owner: "first", attempt: 1 } as const;

const base = { owner: "first", fingerprint: "print", createdAt: epochMillis(START - 5_000) } as const;
const steps = { charge: { encoding: "json", data: '"ch_1"' } };

/** An in-progress item with a recorded step, as a claim and a checkpoint leave it; its lock ends at START. */
export const running = (
  id: string,
  {
    lockedUntil = START,
    attempt = 1,
    ...more
  }: { lockedUntil?: number; expiresAt?: number | undefined; attempt?: number } = {},
): Item => {
  const expiresAt = ("expiresAt" in more ? more.expiresAt : SECOND + 90) as EpochSeconds | undefined;
  return toItem({
    ...base,
    id,
    status: "IN_PROGRESS",
    attempt,
    lockedUntil: epochMillis(lockedUntil),
    expiresAt,
    steps,
  });
};

/** An item that was released in its third attempt, with a recorded step. */
export const released = (id: string): Item =>
  toItem({ ...base, id, status: "RELEASED", attempt: 3, expiresAt: (SECOND + 90) as EpochSeconds, steps });

/** A completed item. */
export const completed = (id: string): Item =>
  toItem({
    ...base,
    id,
    status: "COMPLETED",
    attempt: 1,
    completedAt: epochMillis(START),
    expiresAt: (SECOND + 90) as EpochSeconds,
    result: { encoding: "json", data: '"secret"' },
  });

/** The outcome alone. */
export const outcomeOf = async (answer: Promise<{ outcome: string }>): Promise<string> => (await answer).outcome;
