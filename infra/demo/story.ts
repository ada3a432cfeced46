import { isDeepStrictEqual } from "node:util";
import type { Hold } from "../local/dynamodb-proxy.ts";
import type { LocalStack } from "../local/stack.ts";
import { readEvent } from "./events.ts";
import { anOrdersLife } from "./order-story.ts";
import type { PaymentProvider } from "./provider.ts";
import { type Seen, type Sender, until } from "./sender.ts";
import { type Step, told } from "./step.ts";
import { ordersWithTokens } from "./token-story.ts";

/** The story, in order: the later steps build on the earlier ones. */
export function story(stack: LocalStack, sender: Sender, provider: PaymentProvider): readonly Step[] {
  return [
    ...ordersOnce(sender),
    ...ordersThatDie(stack, sender),
    ...ordersWithTokens(stack, sender),
    ...anOrdersLife(stack, sender, provider),
    ...payments(stack, sender),
  ];
}

function ordersOnce(sender: Sender): readonly Step[] {
  let first: Seen;
  const five = (): Promise<Seen[]> =>
    Promise.all(Array.from({ length: 5 }, () => sender.order("key-2", { orderId: "ord-1002" })));
  return [
    {
      sent: "POST /orders for ord-1001, with key-1",
      booked: 1,
      answer: "201",
      why: "Nothing stands under the key: it is claimed, the order booked, the answer stored.",
      async carryOut() {
        first = await sender.order("key-1", { orderId: "ord-1001" });
        return told(first);
      },
    },
    {
      sent: "The same again: the client did not see the answer",
      booked: 0,
      answer: "201, replayed, same body",
      why: "The stored answer is given. The function's code does not run.",
      async carryOut() {
        const again = await sender.order("key-1", { orderId: "ord-1001" });
        return `${told(again)}, ${again.body === first.body ? "same" : "ANOTHER"} body`;
      },
    },
    {
      sent: "ord-1002 five times at once, with key-2; then the five again",
      booked: 1,
      answer: "1 ran, 4 were told 409 or replayed; then 5 replayed, 1 body",
      why: "One conditional write wins the key. Who comes meanwhile is told to try again, and gets the same answer then.",
      async carryOut() {
        const at = await five();
        const again = await five();
        const ran = at.filter(({ status, replayed }) => status === 201 && !replayed).length;
        const others = at.filter(({ status, replayed }) => status === 409 || replayed).length;
        const replayed = again.filter((seen) => seen.replayed).length;
        const bodies = new Set(again.map(({ body }) => body)).size;
        return `${ran} ran, ${others} were told 409 or replayed; then ${replayed} replayed, ${bodies} body`;
      },
    },
    {
      sent: "key-1 again, for another amount",
      booked: 0,
      answer: "422, record unchanged",
      why: "A used key never answers a different request, nor runs it.",
      async carryOut() {
        const before = await sender.records();
        const seen = await sender.order("key-1", { orderId: "ord-1001", amount: 1 });
        return `${told(seen)}, record ${isDeepStrictEqual(await sender.records(), before) ? "unchanged" : "CHANGED"}`;
      },
    },
    {
      sent: "An order without a key",
      booked: 0,
      answer: "400",
      why: "API Gateway itself refuses it: the route requires the header.",
      carryOut: async () => told(await sender.order(undefined, { orderId: "ord-1001" })),
    },
  ];
}

function ordersThatDie(stack: LocalStack, sender: Sender): readonly Step[] {
  /** Sends an order, and kills the function while one of its requests to DynamoDB is held back. */
  async function die(key: string, orderId: string, held: Hold, last: string): Promise<string> {
    const answered = sender.order(key, { orderId });
    await held.reached;
    const killed = stack.faults.kill("Orders");
    held.drop();
    return `${told(await answered)}; ${killed} killed ${last}`;
  }
  return [
    {
      sent: "ord-1003, with key-3; the function is killed before its commit",
      booked: 0,
      answer: "502; 1 killed before the commit",
      why: "Order, ledger and answer commit together: nothing is there. The key stays locked for as long as it could have run, and 5 s.",
      carryOut: () => die("key-3", "ord-1003", stack.faults.hold("TransactWriteItems"), "before the commit"),
    },
    {
      sent: "ord-1004, with key-4; killed right after its commit",
      booked: 1,
      answer: "502; 1 killed after the commit",
      why: "Order, ledger and answer are all there; only the client has not heard.",
      carryOut: () => die("key-4", "ord-1004", stack.faults.hold("TransactWriteItems", "response"), "after the commit"),
    },
    {
      sent: "ord-1004 again, at once",
      booked: 0,
      answer: "201, replayed",
      why: "The answer was committed with the order: there is nothing to find out, and nothing to wait for.",
      carryOut: async () => told(await sender.order("key-4", { orderId: "ord-1004" })),
    },
    {
      sent: "ord-1003 again, at once",
      booked: 0,
      answer: "409",
      why: "From outside, dead looks like slow: nothing runs before the lock lapses.",
      carryOut: async () => told(await sender.order("key-3", { orderId: "ord-1003" })),
    },
    {
      sent: "ord-1003 again, after the lock",
      booked: 1,
      answer: "201",
      why: "The retry takes the key over, as attempt 2, and commits. The first one's commit could not come any more: it names its owner.",
      async carryOut() {
        await sender.locksLapsed();
        return told(await sender.order("key-3", { orderId: "ord-1003" }));
      },
    },
  ];
}

function payments(stack: LocalStack, sender: Sender): readonly Step[] {
  const bodies = readEvent("sqs").Records.map(({ body }) => body);
  const answers = (): number => stack.invocations.filter((one) => one.function.startsWith("Payments")).length;
  /** Sends messages one after the other, and waits until each has been handled. */
  async function send(messages: readonly string[]): Promise<void> {
    for (const message of messages) {
      const before = answers();
      await sender.payment(message);
      await until(() => answers() > before);
    }
  }
  return [
    {
      sent: `${bodies.length} payments as SQS messages`,
      booked: bodies.length,
      answer: "handled",
      why: "Each payment is a key of its own.",
      async carryOut() {
        await send(bodies);
        return "handled";
      },
    },
    {
      sent: "The same payments in new messages: their sender was not sure",
      booked: 0,
      answer: "handled",
      why: "The key is the payment's, not the message's: both are answered from their records, and SQS deletes them.",
      async carryOut() {
        await send(bodies);
        return "handled";
      },
    },
    {
      sent: "A message that is no JSON",
      booked: 0,
      answer: "received 5 times, 1 in the dead-letter queue",
      why: "It fails by itself each time, and the others with it do not. After five times SQS sets it aside.",
      async carryOut() {
        const before = answers();
        await sender.payment("pay me");
        await until(async () => {
          await stack.faults.redeliver("PaymentQueue"); // Nobody waits for the visibility timeout here.
          return (await sender.deadLetters()) > 0;
        });
        return `received ${answers() - before} times, ${await sender.deadLetters()} in the dead-letter queue`;
      },
    },
  ];
}
