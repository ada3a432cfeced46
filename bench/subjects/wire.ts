import { bareHttps, putOf, updateOf } from "./https.ts";
import { tableOf } from "./scenario.ts";
import { serve } from "./serve.ts";

/** As many requests as a first execution or a replay makes, over `node:https` alone. */
serve((scenario) => {
  const send = bareHttps();
  const table = tableOf("ours", scenario);
  let sent = 0;
  return async () => {
    const id = `place-order#${++sent}`;
    const answer = await send("PutItem", putOf(table, id));
    return scenario.path === "first" ? send("UpdateItem", updateOf(table, id)) : answer;
  };
});
