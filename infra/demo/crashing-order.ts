/**
 * The order service in a process that dies, as a function does that runs out of memory or time: nothing of
 * it can clean up. Arguments: the key, the order's id, and where to die: `before` or `after` it is booked.
 */
import { idempotent } from "lambda-once";
import { orderRequest } from "./events.ts";
import { handler, orders } from "./order-handler.ts";
import { invocation } from "./senders.ts";

const [key = "", orderId = "", when = ""] = process.argv.slice(2);

const dying = idempotent(
  async (...request: Parameters<typeof handler.unwrapped>) => {
    if (when === "after") await handler.unwrapped(...request);
    process.kill(process.pid, "SIGKILL");
    return new Promise<never>(() => {});
  },
  { ...orders, lockFor: { seconds: 2 } }, // Without it the lock lasts as long as the Lambda may run, and 5 s more.
);

await dying(orderRequest(key, { orderId }), invocation());
