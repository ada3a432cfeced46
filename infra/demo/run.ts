/** `npm run demo`: real events, the real handlers, DynamoDB Local. Exit code 1 where a count is not what it must be. */
import { startDynamoDBLocal } from "../../test/support/dynamodb-local.ts";
import type { Step } from "./story.ts";
import { createTables, type Item, type Tables } from "./tables.ts";
import { head, row } from "./text-table.ts";

const STORY = [
  { title: "", width: 2 },
  { title: "what is sent", width: 21 },
  { title: "ledger", width: 6 },
  { title: "what the sender sees", width: 27 },
  { title: "why that is right", width: 36 },
];

const RECORD = [
  { title: "attribute", width: 11 },
  { title: "type", width: 4 },
  { title: "value", width: 81 },
];

/** Carries the steps out one after the other, a row for each; how many did not come out as they must. */
async function tell(steps: readonly Step[], tables: Tables): Promise<number> {
  let wrong = 0;
  console.log(head(STORY));
  for (const [index, step] of steps.entries()) {
    const before = await tables.ledgerCount();
    const answer = await step.carryOut().catch((error: unknown) => `threw ${error}`);
    const after = await tables.ledgerCount();
    console.log(row(STORY, [`${index + 1}`, step.sent, `${before} -> ${after}`, answer, step.why]));
    if (after - before === step.booked && answer === step.answer) continue;
    wrong += 1;
    console.log(`WRONG: expected is ledger ${before} -> ${before + step.booked}, and "${step.answer}"`);
  }
  return wrong;
}

/** The record of the first order, as DynamoDB has it. */
function show(record: Item): void {
  console.log("\nThe first order's record in the table idempotency (ledger column above: entries before -> after):\n");
  console.log(head(RECORD));
  for (const [name, attribute] of Object.entries(record).sort()) {
    const [[type, value] = ["?", "?"]] = Object.entries(attribute);
    const seconds = name === "expiresAt" ? Number(value) : Number(value) / 1000;
    const date = /^(expiresAt|createdAt|completedAt)$/.test(name) ? ` (${new Date(seconds * 1000).toISOString()})` : "";
    console.log(row(RECORD, [name, type, `${value}${date}`]));
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
  const first = (await tables.records()).find(({ result }) => result?.S?.includes("ord-1001"));
  if (first !== undefined) show(first);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `\n${wrong === 0 ? "All" : `${wrong} of`} ${steps.length} steps came out ${wrong === 0 ? "as they must" : "WRONG"} (${seconds} s).`,
  );
  process.exitCode = wrong === 0 && first !== undefined ? 0 : 1;
} finally {
  await local.stop();
}
