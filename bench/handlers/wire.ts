import { bareHttps, putOf, updateOf } from "../subjects/https.ts";

const send = bareHttps();
const table = process.env["LAMBDA_ONCE_TABLE"] ?? "";

/** As many requests as a first execution or a replay makes, over `node:https` alone. */
export const handler = async (event: { readonly orderId: string }): Promise<unknown> => {
  const answer = await send("PutItem", putOf(table, event.orderId));
  if (process.env["BENCH_PATH"] === "replay") return answer;
  return send("UpdateItem", updateOf(table, event.orderId));
};
