import type { Answer, Case, Happened } from "./case.ts";

/** What happened on one side, and whether the expectation holds there. */
export interface Verdict {
  readonly happened: Happened;
  readonly holds: boolean;
}

/** One case on both sides. */
export interface Compared {
  readonly one: Case;
  readonly peer: Verdict;
  readonly ours: Verdict;
}

/** Upstream has fixed some of the cases after the version that is compared here. */
const MERGED = "#5675, #5705, #5707, #5715";

/** Prints the comparison as one Markdown table, in the order of the list. */
export function printTable(
  compared: readonly Compared[],
  names: { readonly peer: string; readonly ours: string; readonly over: string },
): void {
  const rows = compared.map(({ one, peer, ours }) => [
    one.id,
    one.title,
    one.expected,
    words(peer.happened),
    verdict(peer.holds),
    words(ours.happened),
    verdict(ours.holds),
  ]);
  const header = ["case", "what is done", "expected", names.peer, "peer", names.ours, "ours"];
  const inOrder = [...rows].sort(([a], [b]) => numberOf(a) - numberOf(b));

  console.log(`${names.peer} and ${names.ours}, both over ${names.over}.`);
  console.log(`Upstream has merged fixes for some cases that this version does not carry: issues ${MERGED}.\n`);
  for (const row of [header, header.map(() => "---"), ...inOrder]) console.log(`| ${row.map(cell).join(" | ")} |`);
  const held = (side: "peer" | "ours") => compared.filter((one) => one[side].holds).length;
  console.log(`\npeer holds ${held("peer")} of ${compared.length}, ours ${held("ours")} of ${compared.length}`);
}

const numberOf = (id: string | undefined): number => Number(id?.slice(1));
const verdict = (holds: boolean): string => (holds ? "holds" : "**fails**");
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

function words({ runs, answers, facts }: Happened): string {
  const calls = Object.entries(answers).map(([name, answer]) => `${name}: ${answerWords(answer)}`);
  const seen = Object.entries(facts).map(([name, fact]) => `${name}: ${fact}`);
  return [`${runs} ${runs === 1 ? "run" : "runs"}`, ...calls, ...seen].join("; ");
}

function answerWords(answer: Answer): string {
  if ("error" in answer) {
    const { name, cause } = answer.error;
    return cause instanceof Error ? `throws ${name} (${cause.name})` : `throws ${name}`;
  }
  return answer.value === undefined ? "undefined" : JSON.stringify(answer.value);
}
