/** `npm run demo`: the stack that is deployed, on this machine. Exit code 1 where a count is not what it must be. */
import { startStack } from "../local/stack.ts";
import { synthesize } from "../local/synth.ts";
import { startPaymentProvider } from "./provider.ts";
import { type Item, type Sender, senderTo } from "./sender.ts";
import type { Step } from "./step.ts";
import { story } from "./story.ts";
import { head, row } from "./text-table.ts";

const INTRODUCTION = `
The order service of infra/demo, as cdk synth makes it and cdk deploy would put it up, on this
machine: the API's routes over HTTP, the functions' bundles in processes of AWS's runtime client,
the tables on DynamoDB Local, the queue on a local SQS. Every effect appends an entry to the table
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
async function tell(steps: readonly Step[], sender: Sender): Promise<number> {
  let wrong = 0;
  console.log(`${INTRODUCTION}\n${head(STORY)}`);
  for (const [index, step] of steps.entries()) {
    const before = await sender.booked();
    const answer = await step.carryOut().catch((error: unknown) => `threw ${error}`);
    const after = await sender.booked();
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
  console.log(`\nThe record of the first order, as it stands in the table:\n\n${head(RECORD)}`);
  for (const name of new Set([...ATTRIBUTES, ...Object.keys(record).sort()])) {
    const [[type, value] = []] = Object.entries(record[name] ?? {});
    const at = name === "expiresAt" ? Number(value) * 1000 : name.endsWith("At") ? Number(value) : undefined;
    const date = at === undefined ? "" : `  ${new Date(at).toISOString()}`;
    console.log(row(RECORD, [name, type ?? "", `${value ?? "(none)"}${date}`]));
  }
}

const started = performance.now();
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true"; // Node 20 will do here.
const provider = await startPaymentProvider();
let stack: Awaited<ReturnType<typeof startStack>>;
try {
  synthesize("cdk.out", console.log);
  // A function may run for 3 s here instead of 15, so that a dead one's lock lapses while you watch.
  stack = await startStack({ timeout: 3, environment: { PAYMENT_PROVIDER_URL: provider.url } });
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
try {
  const sender = senderTo(stack);
  const steps = story(stack, sender, provider);
  const wrong = await tell(steps, sender);
  const completed = (await sender.records()).find(({ result }) => result?.S?.includes("ord-1001"));
  if (completed === undefined) console.log("\nWRONG: there is no completed record of the first order.");
  else show(completed);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`\n${steps.length - wrong} of ${steps.length} steps came out as they must (${seconds} s).`);
  process.exitCode = wrong === 0 && completed !== undefined ? 0 : 1;
} finally {
  await Promise.all([stack.stop(), provider.close()]);
}
