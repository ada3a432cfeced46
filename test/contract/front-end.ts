import { describe } from "vitest";
import { describeExecution } from "./front-end/execution.ts";
import { describeFaults } from "./front-end/faults.ts";
import type { FrontEnd } from "./front-end/kit.ts";
import { describeLocks } from "./front-end/locks.ts";
import { describeOutcomes } from "./front-end/outcomes.ts";
import { describePolicies } from "./front-end/policies.ts";
import { describeResults } from "./front-end/results.ts";
import { describeSecrets } from "./front-end/secrets.ts";
import { describeSteps } from "./front-end/steps.ts";
import { describeWaits } from "./front-end/waits.ts";
import { describeWrites } from "./front-end/writes.ts";

/** What every way into the engine has to do: none of them has an algorithm of its own. */
export function describeFrontEnd(name: string, make: FrontEnd): void {
  describe(`${name} keeps the contract of a front end`, () => {
    describeExecution(make);
    describeOutcomes(make);
    describeResults(make);
    describeLocks(make);
    describeFaults(make);
    describePolicies(make);
    describeSecrets(make);
    describeSteps(make);
    describeWrites(make);
    describeWaits(make);
  });
}
