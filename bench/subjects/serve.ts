import { lambdaContext, type TestContext } from "lambda-once/testing";
import { type Profile, profiled } from "./profile.ts";
import { eventsOf, type Scenario } from "./scenario.ts";

/** One call under measurement. */
export type Subject = (
  scenario: Scenario,
) => (event: Readonly<Record<string, unknown>>, context: TestContext) => Promise<unknown>;

/** What a parent process asks for: so many calls, so many at a time. */
export interface Batch {
  readonly scenario: Scenario;
  readonly calls: number;
  readonly concurrent?: number;
  readonly profile?: boolean;
}

/** What it is told: µs of CPU time for each call, ms of time for all of them. */
export interface Spent {
  readonly cpu: number;
  readonly elapsed: number;
  readonly profile?: Profile;
}

/** Serves batches of one subject in this process. */
export function serve(subject: Subject): void {
  const context = lambdaContext({ remaining: { hours: 1 } });
  const prepared = new Map<string, ReturnType<typeof prepare>>();
  const prepare = (scenario: Scenario) => ({ call: subject(scenario), nextEvent: eventsOf(scenario) });

  const measure = async ({ scenario, calls, concurrent = 1 }: Batch): Promise<Spent> => {
    const name = JSON.stringify(scenario);
    const known = prepared.get(name) ?? prepare(scenario);
    prepared.set(name, known);
    const events = Array.from({ length: calls }, known.nextEvent);
    let [errors, next] = [0, 0];
    const work = async (): Promise<void> => {
      for (let at = next++; at < calls; at = next++) {
        try {
          await known.call(events[at] as Readonly<Record<string, unknown>>, context);
        } catch {
          errors += 1;
        }
      }
    };
    const [cpu, since] = [process.cpuUsage(), performance.now()];
    if (concurrent === 1) await work();
    else await Promise.all(Array.from({ length: concurrent }, work));
    const { user, system } = process.cpuUsage(cpu);
    const elapsed = performance.now() - since;
    const expected = scenario.path === "progress" || scenario.path === "error" ? calls : 0;
    if (errors !== expected) throw new Error(`${errors} of ${calls} calls failed in ${name}`);
    return { cpu: (user + system) / calls, elapsed };
  };

  process.on("message", async (batch: Batch) => {
    process.send?.(batch.profile ? await profiled(() => measure(batch)) : await measure(batch));
  });
}
