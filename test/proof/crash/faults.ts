/** What may become of a request below the transport's retries. */
export const FAULTS = {
  reset: "fails before: the connection is reset, and the request never arrives",
  lost: "fails after: carried out, and the answer is lost",
  throttled: "throttled, three times",
  conflict: "another transaction holds the item (TransactionConflict), three times",
  never: "times out: the request never arrives",
  late: "times out: the request arrives when its sender has given up on it",
  "much later": "times out: the request arrives when its client has been answered, by another try",
  "killed before": "the process is killed by SIGKILL, and the request never arrives",
  "killed after": "carried out, and the process is killed by SIGKILL before the answer",
} as const;

export type Fault = keyof typeof FAULTS;

/** How often a fault strikes its request: at its first sending, or at each one until the call that sends it is over. */
export type Extent = "once" | "always";

/** The faults that a request can meet, with how often. */
export function faultsOf(request: string): readonly (readonly [Fault, Extent])[] {
  return (Object.keys(FAULTS) as Fault[]).flatMap((fault) => {
    // A plain read is never refused by a transaction.
    if (fault === "conflict" && request.startsWith("GetItem")) return [];
    return extentsOf(fault).map((extent) => [fault, extent] as const);
  });
}

const extentsOf = (fault: Fault): readonly Extent[] =>
  fault === "throttled" || fault === "conflict" || isKill(fault) ? ["once"] : ["once", "always"];

export const isKill = (fault: Fault): boolean => fault.startsWith("killed");

/** How often the request is struck. */
export function timesOf(fault: Fault, extent: Extent): number {
  if (fault === "throttled" || fault === "conflict") return 3;
  return extent === "once" ? 1 : Number.POSITIVE_INFINITY;
}

/** DynamoDB's own refusal, as it would be sent: status 400 and this body. */
export function refusalOf(fault: "throttled" | "conflict", operation: string, actions: number): string {
  const type = (name: string): string => `com.amazonaws.dynamodb.v20120810#${name}`;
  if (operation === "TransactWriteItems") {
    const Code = fault === "throttled" ? "ThrottlingError" : "TransactionConflict";
    const none = Array.from({ length: actions - 1 }, () => ({ Code: "None" }));
    const message = `Transaction cancelled (injected): [${Code}]`;
    const CancellationReasons = [{ Code, Message: "injected" }, ...none];
    return JSON.stringify({
      __type: type("TransactionCanceledException"),
      message,
      Message: message,
      CancellationReasons,
    });
  }
  const name = fault === "throttled" ? "ThrottlingException" : "TransactionConflictException";
  return JSON.stringify({ __type: type(name), message: "injected" });
}
