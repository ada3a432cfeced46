/** `npm run demo`: real events, the real handlers, DynamoDB Local. Exit code 1 where a count is not what it must be. */
import { startDynamoDBLocal } from "../../test/support/dynamodb-local.ts";
import type { Step } from "./story.ts";
import { createTables, type Item, type Tables } from "./tables.ts";
import { head, row } from "./text-table.ts";

const INTRODUCTION = `
An order service (infra/demo/order-handler.ts) and a payment queue (infra/demo/payment-consumer.ts)
on DynamoDB Local, called with the events of events/. Every effect appends an entry to the table
ledger; the column "ledger" counts the table's entries before -> after each step.
`;

const STORY = [
  { title: "", width: 2 },
  { title: "what is sent", width: 22 },
  { title: "ledger", width: 6 },
  { title: "what the sender sees", width: 28 },
  { title: "why that is right", width: 34 },
];
const WRONG = [
  { title: "", width: 2 },
  { title: "", width: 96 },
];
const RECORD = [
  { title: "attribute", width: 11 },
  { title: "type", width: 4 },
  { title: "value", width: 81 },
];

/** The order in which a record is read best. */
const ATTRIBUTES = ["id", "v", "status", "owner", "attempt", "fingerprint", "encoding", "result", "createdAt"];

/** Carries the steps out one after the other, a row for each; how many did not come out as they must. */
async function tell(steps: readonly Step[], tables: Tables): Promise<number> {
  let wrong = 0;
  console.log(`${INTRODUCTION}\n${head(STORY)}`);
  for (const [index, step] of steps.entries()) {
    const before = await tables.ledgerCount();
    const answer = await step.carryOut().catch((error: unknown) => `threw ${error}`);
    const after = await tables.ledgerCount();
    console.log(row(STORY, [`${index + 1}`, step.sent, `${before} -> ${after}`, answer, step.why]));
    if (after - before === step.booked && answer === step.answer) continue;
    wrong += 1;
    console.log(
      row(WRONG, ["", `WRONG: expected was ledger ${before} -> ${before + step.booked} and: ${step.answer}`]),
    );
  }
  return wrong;
}

/** Prints a record as DynamoDB has it. */
function show(record: Item): void {
  console.log(`\nThe record of the first order, as it stands in the table idempotency:\n\n${head(RECORD)}`);
  for (const name of new Set([...ATTRIBUTES, ...Object.keys(record).sort()])) {
    const [[type, value] = []] = Object.entries(record[name] ?? {});
    const at = name === "expiresAt" ? Number(value) * 1000 : name.endsWith("At") ? Number(value) : undefined;
    const date = at === undefined ? "" : `  ${new Date(at).toISOString()}`;
    console.log(row(RECORD, [name, type ?? "", `${value ?? "(none)"}${date}`]));
  }
}

const started = performance.now();
const local = await startDynamoDBLocal().catch((error: Error) => {
  console.error(error.message);
  return process.exit(1);
});
try {
  const tables = await createTables(local);
  const { story } = await import("./story.ts"); // The handlers look for their tables when they are loaded.
  const steps = story(tables);
  const wrong = await tell(steps, tables);
  const completed = (await tables.records()).find(({ result }) => result?.S?.includes("ord-1001"));
  if (completed === undefined) console.log("\nWRONG: there is no completed record of the first order.");
  else show(completed);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`\n${steps.length - wrong} of ${steps.length} steps came out as they must (${seconds} s).`);
  process.exitCode = wrong === 0 && completed !== undefined ? 0 : 1;
} finally {
  await local.stop();
}
