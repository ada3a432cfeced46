import type { LocalStack } from "../local/stack.ts";
import type { PaymentProvider } from "./provider.ts";
import { type Item, type Seen, type Sender, settled } from "./sender.ts";
import { type Step, told } from "./step.ts";

const statusOf = (item: Item | undefined): string => item?.["status"]?.S ?? "none";
const versionOf = (item: Item | undefined): string => item?.["version"]?.N ?? "none";

/** From the order to the money: one step for each mechanism that works in the order's own table. */
export function anOrdersLife(stack: LocalStack, sender: Sender, provider: PaymentProvider): readonly Step[] {
  let id = "";
  let delivery = settled("");
  const item = (): Promise<Item | undefined> => sender.orderItem(id);
  const change = (note: string, ifMatch: string): Promise<Seen> =>
    sender.send({
      method: "PUT",
      path: `/orders/${id}`,
      body: { amount: 1000, note },
      headers: { "if-match": ifMatch },
    });
  const pay = (): Promise<Seen> => sender.send({ path: `/orders/${id}/pay` });
  return [
    {
      sent: "ord-1005, with key-5; then ord-1005 once more, with key-6",
      booked: 1,
      answer: "201; then 409 naming the first",
      why: "Two keys are two operations, but the order's number is unique: its guard item commits with the order.",
      async carryOut() {
        const first = await sender.order("key-5", { orderId: "ord-1005" });
        id = (JSON.parse(first.body) as { orderId: string }).orderId;
        delivery = settled(id);
        const second = await sender.order("key-6", { orderId: "ord-1005" });
        return `${told(first)}; then ${told(second)}${second.body.includes(id) ? " naming the first" : ""}`;
      },
    },
    {
      sent: 'PUT the order with a note, If-Match "1"; then the same content with "2"',
      booked: 0,
      answer: "200 as version 2; then 200, version 2 and updatedAt as before",
      why: "The same content changes nothing: one conditional write compares its hash.",
      async carryOut() {
        const first = await change("ring twice", '"1"');
        const before = await item();
        const second = await change("ring twice", '"2"');
        const after = await item();
        const same = after?.["updatedAt"]?.N === before?.["updatedAt"]?.N && versionOf(after) === versionOf(before);
        const rest = same ? `version ${versionOf(after)} and updatedAt as before` : "CHANGED";
        return `${told(first)} as version ${versionOf(before)}; then ${told(second)}, ${rest}`;
      },
    },
    {
      sent: 'PUT another note, If-Match "1": read before the change',
      booked: 0,
      answer: '412, now "2"; without If-Match 428',
      why: "A version that is stale loses nothing of another's change.",
      async carryOut() {
        const stale = await change("leave at the door", '"1"');
        const blind = await sender.send({ method: "PUT", path: `/orders/${id}`, body: { amount: 1000, note: "x" } });
        return `${told(stale)}, now ${stale.etag}; without If-Match ${told(blind)}`;
      },
    },
    {
      sent: "POST /pay; the function is killed after the provider has charged",
      booked: 0,
      answer: "502; charged 1, order charging",
      why: "The charge is a step. Its answer never came, so that nothing is recorded. What is charging neither changes nor is cancelled.",
      async carryOut() {
        const hold = provider.holdAnswer();
        const answered = pay();
        await hold.reached;
        stack.faults.kill("Orders");
        hold.release();
        return `${told(await answered)}; charged ${provider.charges.length}, order ${statusOf(await item())}`;
      },
    },
    {
      sent: "POST /pay again, twice at once: it waits for the lock",
      booked: 1,
      answer: "200 and 200, 1 replayed; asked 2 times, charged 1, order charged",
      why: "Attempt 2 asks under the same downstream key, and the provider charges no second time. The other call waits for the answer.",
      async carryOut() {
        await sender.locksLapsed();
        const [one, other] = await Promise.all([pay(), pay()]);
        const replayed = [one, other].filter((seen) => seen.replayed).length;
        const charged = `asked ${provider.asked()} times, charged ${provider.charges.length}`;
        return `${one.status} and ${other.status}, ${replayed} replayed; ${charged}, order ${statusOf(await item())}`;
      },
    },
    {
      sent: "The provider's webhook: forged, then signed, then delivered again",
      booked: 0,
      answer: "401; 200, order paid; 200, replayed",
      why: "Nothing is written before the signature holds. The delivery's id is the key, so that a delivery moves the order once.",
      async carryOut() {
        const forged = await sender.deliver(delivery, Buffer.alloc(48, 7).toString("base64"));
        const first = await sender.deliver(delivery);
        const status = statusOf(await item());
        return `${told(forged)}; ${told(first)}, order ${status}; ${told(await sender.deliver(delivery))}`;
      },
    },
    {
      sent: "POST /cancel, now that it is paid",
      booked: 0,
      answer: "409, order paid",
      why: "The machine knows no way from paid to cancelled.",
      async carryOut() {
        const seen = await sender.send({ path: `/orders/${id}/cancel`, headers: { "idempotency-key": "key-7" } });
        return `${told(seen)}, order ${statusOf(await item())}`;
      },
    },
  ];
}
