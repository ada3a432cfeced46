/**
 * `npm run bench:gate`: fails where a ratio to the peer, or what can be counted, is worse than its bound in bounds.ts.
 * `--counted` leaves out what takes time to measure and depends on what else the machine does.
 */
import { FIGURES } from "./bounds.ts";
import { countedFaults } from "./counted.ts";
import { ratio } from "./page/table.ts";
import { QUICK } from "./plan.ts";
import { measureAll } from "./results.ts";

const faults = [...(await countedFaults())];
if (!process.argv.includes("--counted")) {
  const results = await measureAll(QUICK, (what) => console.error(what));
  for (const figure of FIGURES) {
    const value = figure.of(results);
    console.log(`${figure.client}: ${figure.name}: ${ratio(value)}, bound ${ratio(figure.bound)}`);
    // A figure that was not measured is a fault too.
    if (!(value >= figure.bound))
      faults.push(`${figure.client}: ${figure.name}: ${ratio(value)} is below ${ratio(figure.bound)}`);
  }
}
for (const fault of faults) console.error(fault);
console.log(faults.length === 0 ? "within all bounds" : `${faults.length} beyond their bounds`);
process.exitCode = faults.length === 0 ? 0 : 1;
