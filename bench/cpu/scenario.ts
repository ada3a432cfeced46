/** What a call meets. */
export const PATHS = {
  first: "first execution",
  replaySeen: "replay, key seen by this process",
  replayNew: "replay, key new to this process",
  missingRefused: "missing key, refused",
  missingRun: "missing key, run unprotected",
} as const;

/** One measurement, the same for every subject. */
export interface Scenario {
  readonly path: keyof typeof PATHS;
  /** Size of an event as JSON, about. */
  readonly bytes: 200 | 5_000;
  readonly key: "field" | "event";
  /** `given`: equal clients. `own`: the settings of the client that each side makes by itself. */
  readonly client: "given" | "own";
}

/** What a function under measurement returns, everywhere. */
export const RESULT = {
  orderId: "o-1",
  status: "placed",
  total: 1_234.5,
  currency: "EUR",
  lines: 3,
  express: false,
} as const;

type Event = Readonly<Record<string, unknown>>;

/** Makes events of the scenario's size; no two have the same key, except where the key is to be seen again. */
export function eventsOf({ path, bytes, key }: Scenario): () => Event {
  const line = { sku: "sku-0001", title: "A thing of some use", amount: 2, price: 19.99 };
  const rest = { tenant: "tenant-1", currency: "EUR", customer: { name: "Ada Lovelace", city: "London" } };
  const lines = Array.from({ length: bytes === 200 ? 1 : 65 }, (_, at) => ({ ...line, sku: `sku-${at}` }));
  let made = 0;
  return () => {
    made += 1;
    const orderId = path === "replaySeen" ? "o-1" : `o-${made}`;
    const missing = path === "missingRefused" || path === "missingRun";
    return missing && key === "field" ? { ...rest, lines } : { orderId, ...rest, lines };
  };
}
