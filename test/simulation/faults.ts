/** What may become of one request to the store, and of the process that sends it. */
export const FAULTS = [
  "none",
  "fails before", // it never arrives, and the caller is told of a failure
  "fails after", // it is carried out, and its response is lost
  "throttled",
  "denied", // refused for good
  "busy", // another transaction holds the item
  "silence", // it never arrives, and nobody says so
  "zombie", // given up by its caller, it is carried out long after
  "sent twice", // carried out, its response lost, sent again by the transport: the second one is answered
  "overtaken", // not answered, sent again by the transport: the second one is answered, the first one carried out long after
  "echo", // answered, and carried out once more long after
  "late", // it leaves the process long after its time was read
  "crash before",
  "crash after",
  "freeze", // the process stands still, beyond its lock perhaps, before it hears the answer
] as const;
export type Fault = (typeof FAULTS)[number];

/** The requests that the engine makes. */
export const REQUESTS = [
  "claim",
  "take over",
  "resume",
  "redeem",
  "complete",
  "keep error",
  "delete",
  "release",
  "reissue",
  "mark step",
  "record step",
  "renew",
  "commit",
  "commit as claim",
  "read",
  "look",
] as const;
export type RequestKind = (typeof REQUESTS)[number];

/** A read that nobody hears does nothing, and DynamoDB refuses no read because of a transaction. */
export const canMeet = (kind: RequestKind, fault: Fault): boolean =>
  !(kind === "read" || kind === "look") || !["busy", "zombie", "overtaken", "echo"].includes(fault);

/** How often each request has met each fault. */
export interface Coverage {
  count(kind: RequestKind, fault: Fault): void;
  add(other: readonly (readonly number[])[]): void;
  readonly cells: number[][];
}

export function coverageOf(): Coverage {
  const cells = REQUESTS.map(() => FAULTS.map(() => 0));
  const row = (index: number): number[] => cells[index] as number[];
  return {
    cells,
    count(kind, fault) {
      const of = row(REQUESTS.indexOf(kind));
      const index = FAULTS.indexOf(fault);
      of[index] = (of[index] ?? 0) + 1;
    },
    add(other) {
      for (const [index, counts] of other.entries())
        for (const [column, count] of counts.entries()) row(index)[column] = (row(index)[column] ?? 0) + count;
    },
  };
}

/** The cells that can be met and were not. */
export function uncovered({ cells }: Coverage): string[] {
  return REQUESTS.flatMap((kind, row) =>
    FAULTS.filter((fault, column) => canMeet(kind, fault) && cells[row]?.[column] === 0).map(
      (fault) => `${kind} x ${fault}`,
    ),
  );
}

/** The counts as a table, for people. */
export function coverageTable({ cells }: Coverage): string {
  const lines = REQUESTS.map((kind, row) => {
    const counts = FAULTS.map((fault, column) => (canMeet(kind, fault) ? String(cells[row]?.[column]) : "-"));
    return `| ${kind} | ${counts.join(" | ")} |`;
  });
  return [`| request | ${FAULTS.join(" | ")} |`, `|---|${FAULTS.map(() => "--:|").join("")}`, ...lines].join("\n");
}
