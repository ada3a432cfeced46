/**
 * `npm run proof:kill [-- --seed <number> --kills <number> --freezes <number>]`: the order service on this machine, whose
 * processes are killed and frozen at random moments while duplicates arrive. Exit code 1 where a sum is not exact.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPaymentProvider } from "../../../infra/demo/provider.ts";
import { senderTo } from "../../../infra/demo/sender.ts";
import type { Invocation } from "../../../infra/local/functions.ts";
import { type LocalStack, startStack } from "../../../infra/local/stack.ts";
import { synthesize } from "../../../infra/local/synth.ts";
import { randomOf } from "../../simulation/random.ts";
import { type Disturbance, disturb } from "./disturb.ts";
import { freezePastLock } from "./frozen.ts";
import { customers } from "./load.ts";
import { PHASES, phaseOf } from "./phases.ts";
import { drain } from "./queue.ts";
import { addUp } from "./sums.ts";

process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
const option = (name: string, fallback: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? fallback : Number(process.argv[at + 1]);
};
const seed = option("seed", Date.now() % 1_000_000);
const wanted: Disturbance = { kills: option("kills", 200), freezes: option("freezes", 20) };
const started = performance.now();
const seconds = (): string => `${((performance.now() - started) / 1_000).toFixed(0)} s`;
console.log(`seed ${seed}`);

const wrong: string[] = [];
const died = new Map<string, number>();
const count = (what: string): void => void died.set(what, (died.get(what) ?? 0) + 1);
const random = randomOf(seed);
const cdkOut = mkdtempSync(join(tmpdir(), "lambda-once-kill-"));
const provider = await startPaymentProvider();
let stack: LocalStack | undefined;
const ended = ({ outcome, ...invocation }: Invocation): void => {
  if (stack === undefined || (outcome !== "killed" && outcome !== "timeout")) return;
  count(`${outcome}, ${phaseOf(stack, { outcome, ...invocation })}`);
};
try {
  synthesize(cdkOut, () => {});
  stack = await startStack({
    ...{ cdkOut, timeout: 2, visibilityTimeout: 3, concurrency: 8, onInvocation: ended },
    environment: { PAYMENT_PROVIDER_URL: provider.url },
  });
  const sender = senderTo(stack);
  let isOver = false;
  const load = customers(stack, sender, { count: 6, random: randomOf(seed + 1), isOver: () => isOver });
  let told = 0;
  const disturbed = disturb(stack, random, wanted, ({ kills, freezes }) => {
    if (Math.floor(kills / 25) === told) return;
    told = Math.floor(kills / 25);
    console.log(`${kills} processes killed, ${freezes} frozen (${seconds()})`);
  }).finally(() => {
    isOver = true;
  });
  const [disturbance, done] = await Promise.all([disturbed, load]);
  const redriven = await drain(stack, 90_000);
  const { sums, wrong: unequal } = await addUp(stack, provider, done);
  wrong.push(...unequal);

  console.log(
    `\n${disturbance.kills} processes killed by SIGKILL and ${disturbance.freezes} frozen beyond what they might run, in an invocation`,
  );
  for (const end of ["killed", "timeout"] as const) {
    for (const phase of PHASES) {
      const number = died.get(`${end}, ${phase}`) ?? 0;
      if (number > 0)
        console.log(`${String(number).padStart(6)} ${end === "killed" ? "killed" : "ended by the time-out"} ${phase}`);
    }
  }
  console.log(
    `${done.requests} requests, ${done.repetitions} of them repetitions, and ${2 * done.queued.length} messages (${redriven} sent once more from the dead-letter queue)`,
  );
  for (const { what, expected, found } of sums)
    console.log(`${String(found).padStart(6)} ${what}, expected ${expected}`);
} finally {
  await stack?.stop();
  await provider.close();
  rmSync(cdkOut, { recursive: true, force: true });
}

const frozen = await freezePastLock(wanted.freezes, seed + 2, 4);
wrong.push(...frozen.wrong);
console.log(
  `${String(frozen.freezes).padStart(6)} processes frozen past their lock, ${frozen.overtaken} of which woke up after another had taken over`,
);
for (const what of wrong.slice(0, 30)) console.log(`WRONG: ${what}`);
console.log(`\n${wrong.length === 0 ? "all sums are exact" : `${wrong.length} things are wrong`} (${seconds()})`);
process.exitCode = wrong.length === 0 ? 0 : 1;
