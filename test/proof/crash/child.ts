/** A process that calls flows as it is told, until it is killed. */
import { type Called, call, type Job } from "./caller.ts";

let close = (): void => {};

process.on("message", async (job: Job) => {
  close();
  const { answers, refusals, turns, close: end } = await call(job);
  close = end;
  process.send?.({ answers, refusals, turns } satisfies Called);
});
process.on("disconnect", () => process.exit());
process.send?.("ready");
