/**
 * Checks the model of docs/model.md: every promise on the correct model, every broken variant against the property that
 * must catch it. Prints one line a run; ends with code 0 only where each answer is the expected one.
 *
 *   npm run proof:model                          all rows
 *   npm run proof:model -- --only atomic         the rows whose name holds this
 *   npm run proof:model -- --story frozen        the shortest way to the violations of these rows
 */
import { groups, sets } from "./rows.mjs";
import { explore, missing, story } from "./spin.mjs";

/** Runs at once: the largest takes 1.5 GB. */
const LANES = 2;

const [option, text = ""] = process.argv.slice(2);
if (![undefined, "--only", "--story"].includes(option))
  fail(`unknown option ${option}; allowed are --only and --story`);
const lack = await missing();
if (lack !== undefined) fail(lack);

const rows = groups.flatMap(({ title, expect, rows }) => rows.map((row) => ({ ...row, title, expect })));
const chosen = rows.filter(({ name }) => name.includes(text));
if (chosen.length === 0) fail(`no row's name holds "${text}"; there are: ${rows.map(({ name }) => name).join("; ")}`);

if (option === "--story") {
  for (const row of chosen.filter(({ expect }) => expect !== "holds")) {
    console.log(`${row.name}\n${await story(row)}\n`);
  }
} else {
  await check(chosen);
}

async function check(chosen) {
  const started = Date.now();
  const results = chosen.map(deferred);
  const queue = chosen.map((_, index) => index);
  const lane = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      results[next].resolve(await explore(chosen[next]));
    }
  };
  const lanes = Array.from({ length: LANES }, lane);

  console.log("  answer    row                                              states  asked");
  let title;
  let wrong = 0;
  for (const [index, row] of chosen.entries()) {
    const { answer, states, detail } = await results[index].promise;
    if (row.title !== title) console.log(`\n${row.title}`);
    title = row.title;
    const isExpected = answer === (row.expect === "holds" ? "holds" : "violated");
    if (!isExpected) wrong++;
    console.log(line(row, isExpected ? row.expect : `NOT AS EXPECTED: ${answer}`, states));
    if (detail !== undefined) console.log(detail);
  }
  await Promise.all(lanes);
  const seconds = Math.round((Date.now() - started) / 1000);
  console.log(`\n${chosen.length - wrong} of ${chosen.length} as expected (${seconds} s)`);
  process.exitCode = wrong === 0 ? 0 : 1;
}

function line({ name, properties, place }, answer, states) {
  return `  ${answer.padEnd(9)} ${name.padEnd(46)} ${String(Math.round(states)).padStart(8)}  ${place ?? asked(properties)}`;
}

/** The sets of properties that a row asserts as a whole, by name, and the others one by one. */
function asked(properties) {
  const whole = Object.entries(sets).filter(([, set]) => set.every((property) => properties.includes(property)));
  const rest = properties.filter((property) => !whole.some(([, set]) => set.includes(property)));
  return [...whole.map(([name]) => name), ...rest].join(", ");
}

function deferred() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}
