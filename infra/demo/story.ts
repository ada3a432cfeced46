import { isDeepStrictEqual } from "node:util";
import { readEvent } from "./events.ts";
import { countReplays, crash, deliver, lockLapses, placeOrder, type Seen } from "./senders.ts";
import type { Tables } from "./tables.ts";

/** One step of the demo, and what must come of it. */
export interface Step {
  readonly sent: string;
  readonly why: string;
  /** How many entries the ledger must have more after it. */
  readonly booked: number;
  /** What the sender must see. */
  readonly answer: string;
  /** Carries the step out and says what the sender saw. */
  carryOut(): Promise<string>;
}

/** The story, in order: the later steps build on the earlier ones. */
export function story(tables: Tables): readonly Step[] {
  let first: Seen;
  const five = () => Promise.all(Array.from({ length: 5 }, () => placeOrder("key-2", { orderId: "ord-1002" })));
  const payments = readEvent("sqs");

  return [
    {
      sent: "POST /orders for ord-1001, with key-1",
      booked: 1,
      answer: "executed (attempt 1): 201",
      why: "Nothing stands under the key: it is claimed, the order booked, the answer stored.",
      async carryOut() {
        first = await placeOrder("key-1", { orderId: "ord-1001" });
        return first.answer;
      },
    },
    {
      sent: "The same again: the client did not see the answer",
      booked: 0,
      answer: "replayed (attempt 1): 201, same body",
      why: "The stored answer is given. The function does not run.",
      async carryOut() {
        const again = await placeOrder("key-1", { orderId: "ord-1001" });
        return `${again.answer}, ${again.body === first.body ? "same" : "ANOTHER"} body`;
      },
    },
    {
      sent: "ord-1002 five times at once, with key-2; then the five again",
      booked: 1,
      answer: "1 executed, 4 refused as in progress or replayed; then 5 replayed, 1 body",
      why: "One conditional write wins the key. Who comes meanwhile is told to try again, and gets the same answer then.",
      async carryOut() {
        const at = (await five()).map(({ answer }) => answer);
        const again = await five();
        const count = (answers: readonly string[], kind: RegExp) =>
          answers.filter((answer) => kind.test(answer)).length;
        const replayed = count(
          again.map(({ answer }) => answer),
          /^replayed/,
        );
        const bodies = new Set(again.map(({ body }) => body)).size;
        return `${count(at, /^executed/)} executed, ${count(at, /in_progress|^replayed/)} refused as in progress or replayed; then ${replayed} replayed, ${bodies} body`;
      },
    },
    {
      sent: "key-1 again, for another amount",
      booked: 0,
      answer: "refused: key_reused (422), record unchanged",
      why: "A used key never answers a different request, nor runs it.",
      async carryOut() {
        const before = await tables.records();
        const { answer } = await placeOrder("key-1", { orderId: "ord-1001", amount: 1 });
        return `${answer}, record ${isDeepStrictEqual(await tables.records(), before) ? "unchanged" : "CHANGED"}`;
      },
    },
    {
      sent: "ord-1003 to a process that dies before it books",
      booked: 0,
      answer: "SIGKILL; left IN_PROGRESS (attempt 1)",
      why: "It could clean up nothing: the key stays locked, here for 2 s.",
      carryOut: () => crash(tables, "key-3", "ord-1003", "before"),
    },
    {
      sent: "ord-1003 again, at once",
      booked: 0,
      answer: "refused: in_progress (409)",
      why: "From outside, dead looks like slow: nothing runs before the lock lapses.",
      carryOut: async () => (await placeOrder("key-3", { orderId: "ord-1003" })).answer,
    },
    {
      sent: "ord-1003 again, after the lock",
      booked: 1,
      answer: "executed (attempt 2): 201",
      why: "The retry takes the key over. As attempt 2 it looks in the ledger, finds nothing, and books.",
      async carryOut() {
        await lockLapses(tables);
        return (await placeOrder("key-3", { orderId: "ord-1003" })).answer;
      },
    },
    {
      sent: "ord-1004 to a process that dies after it has booked",
      booked: 1,
      answer: "SIGKILL; left IN_PROGRESS (attempt 1)",
      why: "Booked, but no answer stored: nobody but the ledger knows.",
      carryOut: () => crash(tables, "key-4", "ord-1004", "after"),
    },
    {
      sent: "ord-1004 again, after the lock",
      booked: 0,
      answer: "executed (attempt 2): 201",
      why: "The function does run again. As attempt 2 it finds its entry and does not book twice; without that look it would.",
      async carryOut() {
        await lockLapses(tables);
        return (await placeOrder("key-4", { orderId: "ord-1004" })).answer;
      },
    },
    {
      sent: "SQS batch of two payments",
      booked: 2,
      answer: "0 of 2 failed",
      why: "Each message is a key of its own.",
      carryOut: () => deliver(payments),
    },
    {
      sent: "The same batch, received a second time",
      booked: 0,
      answer: "0 of 2 failed, 2 replayed",
      why: "Both are answered from their records, so that SQS deletes them.",
      async carryOut() {
        for (const { attributes } of payments.Records) attributes.ApproximateReceiveCount = "2";
        return `${await deliver(payments)}, ${await countReplays(payments)} replayed`;
      },
    },
  ];
}
