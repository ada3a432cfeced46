import { type Extent, FAULTS, type Fault, faultsOf } from "./faults.ts";
import type { Result } from "./matrix.ts";

/** What the sums of a matrix are. */
export interface Totals {
  readonly cells: number;
  readonly doubleCommits: number;
  readonly lostResults: number;
  readonly stuckKeys: number;
  readonly wrongEffects: number;
  /** Cells in which plain mode had its effect again, and was told. */
  readonly repeating: number;
  readonly violated: number;
  /** Cells that were run again, since the machine had added a fault of its own. */
  readonly again: number;
}

const sum = (results: readonly Result[], of: (result: Result) => number): number =>
  results.reduce((total, result) => total + of(result), 0);

export const totalsOf = (results: readonly Result[]): Totals => ({
  cells: results.length,
  doubleCommits: sum(results, ({ doubleCommits }) => doubleCommits),
  lostResults: sum(results, ({ lostResults }) => lostResults),
  stuckKeys: sum(results, ({ stuckKeys }) => stuckKeys),
  wrongEffects: sum(results, ({ wrongEffects }) => wrongEffects),
  repeating: results.filter(({ repeated }) => repeated > 0).length,
  violated: results.filter(({ violations }) => violations.length > 0).length,
  again: results.filter(({ runs }) => runs > 1).length,
});

/** All columns: each fault with how often it strikes. */
const COLUMNS = faultsOf("PutItem claim");

const HEADS: Readonly<Record<Fault, string>> = {
  ...{ reset: "reset", lost: "lost", throttled: "throt3", conflict: "confl3", never: "never", late: "late" },
  ...{ "much later": "later", "killed before": "kill<", "killed after": "kill>" },
};

const headOf = ([fault, extent]: readonly [Fault, Extent]): string =>
  `${HEADS[fault]}${extent === "always" ? "*" : ""}`;

const MARKS = { itself: "=", "at once": "r", "after the lock": "L" } as const;

const markOf = (result: Result | undefined): string => {
  if (result === undefined) return " ";
  if (result.violations.length > 0) return "!";
  return `${MARKS[result.answered]}${result.repeated > 0 ? "2" : ""}`;
};

const requestOf = ({ flow, target }: Result): string =>
  `${target?.request}${flow.batch === true ? `, record ${target?.record}` : ""}`;

/** The matrix of one transport: a row for each flow and request, a column for each fault. */
export function tableOf(results: readonly Result[]): string {
  const rows = new Map<string, Result[]>();
  for (const result of results) {
    const { flow, target, transport } = result;
    const row = JSON.stringify([transport, flow.name, target?.request, target?.record]);
    rows.set(row, [...(rows.get(row) ?? []), result]);
  }
  const widths = [
    Math.max(...results.map(({ flow }) => flow.name.length)),
    Math.max(...results.map((result) => requestOf(result).length)),
  ];
  const line = ([flow = "", request = "", ...marks]: readonly string[]): string =>
    [flow.padEnd(widths[0] ?? 0), request.padEnd(widths[1] ?? 0), ...marks].join(" ").trimEnd();
  const head = line(["flow", "request", ...COLUMNS.map((column) => headOf(column).padEnd(6))]);
  let before = "";
  const lines = [...rows.values()].map((cells) => {
    const [first] = cells as [Result];
    const name = first.flow.name === before ? "" : first.flow.name;
    before = first.flow.name;
    const marks = COLUMNS.map(([fault, extent]) => {
      const own = cells.filter((cell) => cell.fault === fault && cell.extent === extent);
      const [alone, with_] = [false, true].map((duplicate) => markOf(own.find((cell) => cell.duplicate === duplicate)));
      return own.length === 0 ? "-".padEnd(6) : `${alone?.padEnd(2)} ${with_}`.padEnd(6);
    });
    return line([name, requestOf(first), ...marks]);
  });
  return [head, ...lines].join("\n");
}

/** The sums in words. */
export function sumsOf(results: readonly Result[]): string {
  const { cells, doubleCommits, lostResults, stuckKeys, wrongEffects, repeating, violated, again } = totalsOf(results);
  return [
    `${cells} cells: ${doubleCommits} double commits, ${lostResults} lost results, ${stuckKeys} keys stuck beyond lock plus margin,`,
    `${wrongEffects} effects repeated against the promise. In ${repeating} cells an effect outside of the transaction was had again,`,
    `after an outcome that nobody knew, by a later attempt, which was told. ${violated} cells are not as promised.`,
    `${again} cells were run again, since the machine had added a fault of its own.`,
  ].join("\n");
}

/** What the columns and the marks mean. */
export const LEGEND: string = [
  ...COLUMNS.filter(([, extent]) => extent === "once").map(
    (column) => `${headOf(column).padEnd(7)} ${FAULTS[column[0]]}`,
  ),
  "...*    the same at each sending, until the call that sends it is over",
  "",
  "In each column: alone, then with a duplicate that comes when the fault strikes.",
  "=  the struck call itself was answered        r  its client was answered by a retry at once",
  "L  by a retry after the lock had lapsed       2  an effect was had again by a later attempt, which was told",
  "!  a promise was broken                       -  a plain read meets no transaction",
].join("\n");
