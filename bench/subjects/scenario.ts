/** What a call meets. */
export const PATHS = {
  first: "first execution",
  replay: "replay",
  again: "replay, key seen by this process",
  many: "replay, of 1,500 keys in turn",
  cached: "replay, kept in process",
  progress: "in progress, refused",
  error: "error, key given back",
} as const;

export type Path = keyof typeof PATHS;

/** About so many bytes as JSON. */
export type Bytes = 200 | 5_000 | 100_000;

/** One measurement, the same for every subject. */
export interface Scenario {
  readonly path: Path;
  /** Size of the event. */
  readonly event: Bytes;
  readonly key: "field" | "event";
  /** Size of the result that is replayed. */
  readonly result: Bytes;
}

type Json = Readonly<Record<string, unknown>>;

const lines = (bytes: Bytes): readonly Json[] =>
  Array.from({ length: Math.max(1, Math.round((bytes - 125) / 75)) }, (_, at) => ({
    sku: `sku-${at}`,
    title: "A thing of some use",
    amount: 2,
    price: 19.99,
  }));

/** What a function under measurement returned when it ran: like an event, lines of an order. */
export function resultOf(bytes: Bytes): Json {
  const order = { orderId: "o-1", status: "placed", total: 1_234.5, currency: "EUR", express: false };
  return bytes === 200 ? order : { ...order, lines: lines(bytes) };
}

/** The paths on which the same event comes over and over. */
const SAME: readonly Path[] = ["again", "cached"];

/** More than a process remembers to have seen, so that each is like new to it. */
export const MANY = 1_500;

/** Makes events of the scenario's size; no two have the same key, except where the key is to be seen again. */
export function eventsOf({ path, event }: Scenario): () => Json {
  const rest = { tenant: "tenant-1", currency: "EUR", customer: { name: "Ada Lovelace", city: "London" } };
  const ordered = lines(event);
  let made = 0;
  const next = (): string => {
    if (SAME.includes(path)) return "o-1";
    made = path === "many" ? (made % MANY) + 1 : made + 1;
    return `o-${made}`;
  };
  return () => ({ orderId: next(), ...rest, lines: ordered });
}

/** The name of the table that holds what this scenario is to find; the stand-in for DynamoDB reads it. */
export const tableOf = (side: "ours" | "peer", { path, result }: Scenario): string =>
  `${side}.${path === "again" || path === "cached" ? "replay" : path}.${result}`;
