import { isDeepStrictEqual } from "node:util";
import type { World } from "./world.ts";

/** How one call ended for its caller. */
export type Answer = { readonly value: unknown } | { readonly error: Error };

/** What really happened on one side. The harness counts the runs. */
export interface Happened {
  readonly runs: number;
  /** The calls by name, in order. */
  readonly answers: Readonly<Record<string, Answer>>;
  /** What else was looked at. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** One case of the comparison: the same calls and the same expectation for both sides. */
export interface Case {
  readonly id: `P${number}`;
  readonly title: string;
  /** What `holds` checks, in words. */
  readonly expected: string;
  run(world: World): Promise<Partial<Happened>>;
  holds(happened: Happened): boolean;
}

/** The answer of a call that may throw. */
export const answerOf = (call: Promise<unknown>): Promise<Answer> =>
  call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error: error instanceof Error ? error : new Error(String(error)) }),
  );

/** Both calls returned, and equal values. */
export const same = (one: Answer | undefined, other: Answer | undefined): boolean =>
  one !== undefined &&
  other !== undefined &&
  "value" in one &&
  "value" in other &&
  isDeepStrictEqual(one.value, other.value);

/** The call returned this value. */
export const returned = (answer: Answer | undefined, value: unknown): boolean => same(answer, { value });

/** The error of a call; `undefined` where it returned. */
export const errorOf = (answer: Answer | undefined): (Error & { readonly code?: unknown }) | undefined =>
  answer !== undefined && "error" in answer ? answer.error : undefined;

/** The call was refused because another one holds the key; both sides say so in the error's name. */
export const refusedInProgress = (answer: Answer | undefined): boolean =>
  /InProgress/.test(errorOf(answer)?.name ?? "");

/** Holds a function up until it is opened. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
