import type { LocalStack } from "../local/stack.ts";
import type { Sender } from "./sender.ts";
import { type Step, told } from "./step.ts";

/** A token that nobody has issued: the end of a true one is changed. */
const forged = (token: string): string => token.slice(0, -1) + (token.endsWith("A") ? "B" : "A");

/** Orders whose key is a one-time token that the service has issued. */
export function ordersWithTokens(stack: LocalStack, sender: Sender): readonly Step[] {
  let token = "";
  let body = "";
  return [
    {
      sent: "POST /tokens; then POST /checkouts for ord-1010, with the token as key",
      booked: 1,
      answer: "201",
      why: "One request redeems the token before the function runs: it must have been issued, to this customer, for this.",
      async carryOut() {
        token = await sender.token();
        const first = await sender.checkOut(token, { orderId: "ord-1010" });
        body = first.body;
        return told(first);
      },
    },
    {
      sent: "The same again",
      booked: 0,
      answer: "201, replayed, same body",
      why: "A token that was used gives the answer again. It orders nothing any more.",
      async carryOut() {
        const again = await sender.checkOut(token, { orderId: "ord-1010" });
        return `${told(again)}, ${again.body === body ? "same" : "ANOTHER"} body`;
      },
    },
    {
      sent: "The token with a character changed; then the true one, sent by another customer",
      booked: 0,
      answer: "403; 403, told the same, no look at the table",
      why: "The seal says whose token it is and what for. What it does not fit is refused, and not told why.",
      async carryOut() {
        const before = stack.dynamodbCalls.length;
        const one = await sender.checkOut(forged(token), { orderId: "ord-1010" });
        const other = await sender.checkOut(token, { orderId: "ord-1010" }, "cus-other");
        const alike = one.body === other.body ? "told the same" : "TOLD APART";
        const asked = stack.dynamodbCalls.length === before ? "no look" : "A LOOK";
        return `${told(one)}; ${told(other)}, ${alike}, ${asked} at the table`;
      },
    },
    {
      sent: "A new token for ord-1010, which is placed already; then the same token for ord-1011",
      booked: 1,
      answer: "409; then 201",
      why: "The order failed, and its token was given back: the customer corrects the number and goes on.",
      async carryOut() {
        const another = await sender.token();
        const refused = await sender.checkOut(another, { orderId: "ord-1010" });
        return `${told(refused)}; then ${told(await sender.checkOut(another, { orderId: "ord-1011" }))}`;
      },
    },
  ];
}
