import { perMillion } from "./cost/prices.ts";
import type { Warm } from "./measure/warm.ts";
import type { Results } from "./results.ts";
import type { Bytes, Path } from "./subjects/scenario.ts";

const at = (list: readonly Warm[], path: Path, event: Bytes): Warm | undefined =>
  list.find(
    ({ scenario }) =>
      scenario.path === path && scenario.event === event && scenario.key === "field" && scenario.result === 200,
  );

/** Over which client: `own` is the SDK's, as `dynamoDBStore()` makes it, `sdk` the one that the peer makes. */
export type Client = "light" | "own" | "sdk";

/** Warm CPU over TLS for the light client; answered in memory for the SDK's. */
export const warm =
  (path: Path, event: Bytes, client: Client) =>
  ({ tls, memory }: Results): number =>
    at(client === "light" ? tls : memory, path, event)?.less[client]?.[0] ?? Number.NaN;

/** Warm CPU of the light client, HTTP answered in memory. */
export const inMemory =
  (path: Path, event: Bytes) =>
  ({ memory }: Results): number =>
    at(memory, path, event)?.less["light"]?.[0] ?? Number.NaN;

/** A figure of fresh processes. */
export const fresh =
  (name: string, client: Client) =>
  (results: Results): number =>
    results.fresh[name]?.find(({ handler }) => handler === client)?.less ?? Number.NaN;

/** Replays of many keys per second, ten at a time. */
export const rate =
  (client: Client) =>
  ({ throughput }: Results): number =>
    throughput.find(({ path, concurrent }) => path === "many" && concurrent === 10)?.more[client] ?? Number.NaN;

/** The peer's bundle by ours. */
export const size =
  (client: Client) =>
  ({ sizes }: Results): number =>
    (sizes["peer"] ?? Number.NaN) / (sizes[client] ?? Number.NaN);

/** The price of the peer's replay of a 5 kB order by ours, looked up first. */
export const price = ({ sized }: Results): number => {
  const bills = sized.find(({ bytes, kind }) => bytes === 5_000 && kind === "order")?.bills;
  const [theirs, mine] = [bills?.replay["peer"], bills?.looked["ours"]];
  return theirs && mine ? perMillion(theirs) / perMillion(mine) : Number.NaN;
};
