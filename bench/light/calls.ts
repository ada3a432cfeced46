import { type IdempotencyStore, idempotent } from "lambda-once";
import { lambdaContext } from "lambda-once/testing";
import { RESULT } from "../cpu/scenario.ts";

/** What one fresh process tells: CPU ms from its start to here, and for each call in these ranges. */
export interface Told {
  readonly ready: number;
  readonly calls: readonly number[];
}

/** The ends of the ranges: the first call, 2 to 10, 11 to 100; and, where warm calls are asked for, 3,001 to 6,000. */
const ENDS = [1, 10, 100] as const;
const WARM = { from: 3_000, to: 6_000 } as const;

const cpu = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/** Calls a wrapped handler as a Lambda would, one event after the other, and prints what that took. */
export async function tell(makeStore: () => IdempotencyStore & { prewarm?(): Promise<void> }): Promise<void> {
  const store = makeStore();
  const handler = idempotent(async (_event: { readonly orderId: string }, _context: unknown) => RESULT, {
    store,
    operation: "place-order",
    key: "orderId",
  });
  const ready = cpu();
  if (process.env["PREWARM"] === "yes") await store.prewarm?.();
  const context = lambdaContext({ remaining: { hours: 1 } });
  let made = 0;
  const upTo = async (end: number): Promise<number> => {
    const [count, before] = [end - made, cpu()];
    while (made < end) await handler({ orderId: `o-${++made}` }, context);
    return (cpu() - before) / count;
  };
  const calls: number[] = [];
  for (const end of ENDS) calls.push(await upTo(end));
  if (process.env["WARM"] === "yes") {
    await upTo(WARM.from);
    calls.push(await upTo(WARM.to));
  }
  console.log(JSON.stringify({ ready, calls } satisfies Told));
  process.exit(0);
}
