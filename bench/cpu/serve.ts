import { lambdaContext, type TestContext } from "lambda-once/testing";
import { eventsOf, type Scenario } from "./scenario.ts";

/** One call under measurement. */
export type Subject = (
  scenario: Scenario,
) => (event: Readonly<Record<string, unknown>>, context: TestContext) => Promise<unknown>;

/** What a parent process asks for. It gets the CPU time for each call in µs, the calls made one after the other. */
export interface Batch {
  readonly scenario: Scenario;
  readonly calls: number;
}

/** Serves batches of one subject in this process. */
export function serve(subject: Subject): void {
  const context = lambdaContext({ remaining: { hours: 1 } });
  const prepared = new Map<string, ReturnType<typeof prepare>>();
  const prepare = (scenario: Scenario) => ({ call: subject(scenario), nextEvent: eventsOf(scenario) });

  process.on("message", async ({ scenario, calls }: Batch) => {
    const name = JSON.stringify(scenario);
    const known = prepared.get(name) ?? prepare(scenario);
    prepared.set(name, known);
    const events = Array.from({ length: calls }, known.nextEvent);
    let errors = 0;
    const before = process.cpuUsage();
    for (const event of events) {
      try {
        await known.call(event, context);
      } catch {
        errors += 1;
      }
    }
    const { user, system } = process.cpuUsage(before);
    const expected = scenario.path === "missingRefused" ? calls : 0;
    if (errors !== expected) throw new Error(`${errors} of ${calls} calls failed in ${name}`);
    process.send?.((user + system) / calls);
  });
}
