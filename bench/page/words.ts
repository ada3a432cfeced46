import type { Origin } from "../bundle.ts";
import type { Warm } from "../measure/warm.ts";
import type { Results } from "../results.ts";
import type { Bytes, Path } from "../subjects/scenario.ts";
import { ratio } from "./table.ts";

export const INTRODUCTION =
  "lambda-once and `@aws-lambda-powertools/idempotency`, *the peer*, in one run, batch by batch and process by process in turn. On a " +
  "shared machine only the ratios mean anything: they are medians over rounds in which both ran one after the other.";

export const HOW = [
  "- **What is compared** is the package as it is published, built by the run and installed beside the peer, bundled with the same flags of esbuild. Both return and " +
    "store the same results, under a key from the event (*field*: JMESPath `orderId`; *event*: all of it), for a day, without a fingerprint.",
  "- **light** is `lambda-once/dynamodb/light`; **own** is `lambda-once/dynamodb` with the client that it makes by itself, as one uses it over the SDK; **SDK** is the same with the client that the peer makes, `new DynamoDBClient({})`.",
  "- **Over TLS** the requests go to a server in another process, whose answers are equal for all: each side's record as it writes it. **In memory** the HTTP " +
    "beneath both is replaced: the SDK's `requestHandler`, and `https.request`. What is left is each side's own work, signature and parsing included.",
  "- **CPU time** is user and system time of the process, the collector's and the compiler's threads too; *warm* after 10,000 calls of each process, in turns, and some hundred of the scenario. " +
    "After each full collection V8 compiles anew what it had compiled for objects that are gone: the figures to reach that ask DynamoDB are means over half a second in each round, which is about a cycle of that, in memory over several sets of processes; the other rows are over 20 ms, and vary by a third.",
  "- *Replay* is of a key that the process has not seen: one conditional put that fails. *Key seen by this process* is one that it has: lambda-once reads then. *Kept in process* is `cache: { entries, bytes }` beside `useLocalCache`.",
].join("\n");

export const NOT_MEASURED = [
  "- A real network, and DynamoDB's own latency, which is the largest part of a call's time and the same for both.",
  "- A real Lambda: its share of a processor, its processor, freezing and thawing.",
  "- Node.js 22 and 24, on which the ratios of CPU time are lower, since the peer gains more there: `npx -p node@24 -- npm run bench -- --quick` prints the figures of a short run.",
  "- Streams of calls that do more than one at a time in a process, other than the replays on DynamoDB Local.",
  "- Middy, batches, HTTP bindings, fingerprints, principals, secrets: all cost something on both sides.",
  "- The peer's cache store for Redis and Valkey, and its decorators.",
].join("\n");

/** Without these there is no claim over the light client. */
const LEAST = [
  "JMESPath, the library",
  "the signer",
  "the light client",
  "claims, replays, their ends, and the wrapper",
] as const satisfies readonly Origin[];

/** Why what is not reached is not: each reason with the numbers that show it. */
export function reasons(results: Results): readonly string[] {
  const { sizes, fresh, profiles } = results;
  const share = (subject: string, what: string, name: string): number => {
    const shares = profiles.find((one) => one.subject === subject && one.what === what);
    const [, found = 0] = shares?.packages.find(([owner]) => owner === name) ?? [];
    return found;
  };
  const part = (...of: Parameters<typeof share>): string => `${Math.round(share(...of) * 100)} %`;
  const warm = (list: readonly Warm[], path: Path, result: Bytes = 200): Warm | undefined =>
    list.find(
      ({ scenario: one }) => one.path === path && one.event === 200 && one.key === "field" && one.result === result,
    );
  const micros = (one: Warm | undefined, name: string): string => `${(one?.cpu[name] ?? Number.NaN).toFixed(0)} µs`;
  const kB = (count: number | undefined): string => `${((count ?? Number.NaN) / 1_000).toFixed(1)} kB`;
  const importOf = (figure: string, handler: string): number =>
    fresh[figure]?.find((one) => one.handler === handler)?.value ?? Number.NaN;
  const inMillis = (value: number): string => `${value.toFixed(1)} ms`;
  const imported = (...of: Parameters<typeof importOf>): string => inMillis(importOf(...of));

  const [first, over] = [warm(results.memory, "first"), warm(results.tls, "first")];
  const again = warm(results.memory, "replay");
  const [small, large] = [warm(results.memory, "cached"), warm(results.memory, "cached", 100_000)];
  const whole = Object.values(results.origins).reduce((sum, size) => sum + size, 0);
  const least = LEAST.reduce((sum, name) => sum + (results.origins[name] ?? Number.NaN), 0);
  const many = results.throughput.find(({ path, concurrent }) => path === "many" && concurrent === 10);
  const wired = over?.less["wire"]?.[0];
  const cold = (handler: string) => fresh["first: calls 11 - 100"]?.find((one) => one.handler === handler);
  const [own, theirs] = [cold("light"), cold("peer")];
  const ours = share("light", "calls 1 - 100, TLS", "lambda-once");
  const free = (theirs?.value ?? Number.NaN) / ((own?.value ?? Number.NaN) * (1 - ours));
  return [
    "What is not reached, and why, by the floors and the profiles [below](#where-the-time-goes):",
    [
      `- **Warm CPU of the light client.** A first execution takes ${micros(over, "light")} over TLS, the peer's ${micros(over, "peer")}, and two requests of as many bytes over \`node:https\` alone, with no library and no signature, ` +
        `${micros(over, "wire")}: no client over it can take more than ${ratio(wired)} times less than the peer, whatever it does. With the signer and JMESPath, which make a client of it, and nothing else, they take ${micros(over, "parts")}: ${ratio(over?.less["parts"]?.[0])} times less. ` +
        `The same bytes over a socket of TLS, without HTTP, take ${micros(over, "socket")}. With the HTTP answered in memory it is ${micros(first, "light")} to ${micros(first, "peer")}, of which Node.js (hashing, promises, streams) has ` +
        `${part("light", "warm, in memory", "Node.js")}, the garbage collector ${part("light", "warm, in memory", "garbage collector")}, and lambda-once with the signer ${part("light", "warm, in memory", "lambda-once")}.`,
      `- **Warm CPU over a client of the SDK.** In memory a first execution takes ${micros(first, "own")} over the client that \`dynamoDBStore()\` makes, ${micros(first, "sdk")} over the one that the peer makes, the peer's ${micros(first, "peer")}, and the first of these clients for the same requests, with no library at all, ${micros(first, "bare")}: ` +
        `${ratio(first?.less["bare"]?.[0])} times less than the peer, and for a replay ${ratio(again?.less["bare"]?.[0])} times. lambda-once's code is ${part("own", "warm, in memory", "lambda-once")} of the first, the garbage collector ${part("own", "warm, in memory", "garbage collector")}, \`@smithy/core\` ${part("own", "warm, in memory", "@smithy/core")}. Over the client that the peer makes both ask as much of it, and what can differ is the code around it, of which the peer's own is ${part("peer", "warm, in memory", "@aws-lambda-powertools/idempotency")} of its first execution. What lambda-once adds beside its code is a random id for each claim and, up to Node 22, the \`AsyncLocalStorage\` that \`currentClaim()\` needs, which works by hooks on promises there.`,
      `- **First calls of a process.** Code that is not compiled yet: ${part("light", "calls 1 - 100, TLS", "Node.js")} of the light client's first hundred calls is Node.js's own, ${part("light", "calls 1 - 100, TLS", "lambda-once")} lambda-once's and the signer's. ` +
        `Of calls 11 - 100 \`node:https\` alone takes ${cold("wire")?.value.toFixed(2) ?? "-"} ms each, ${ratio(cold("wire")?.less)} times less than the peer, and with the signer and JMESPath ${cold("parts")?.value.toFixed(2) ?? "-"} ms, ${ratio(cold("parts")?.less)} times less; with lambda-once's and the signer's part free of charge it would be ${ratio(free)}. ` +
        `Over the SDK, that and JMESPath alone take ${cold("sdkParts")?.value.toFixed(2) ?? "-"} ms, ${ratio(cold("sdkParts")?.less)} times less; lambda-once has ${part("sdk", "calls 1 - 100, TLS", "lambda-once")} of such calls, the peer ${part("peer", "calls 1 - 100, TLS", "@aws-lambda-powertools/idempotency")} of its own.`,
      `- **Import.** The import of an empty file takes ${imported("import, unbundled", "nothing")} of CPU time in the same process, that of \`node:https\` and a handler of 30 lines ${imported("import, bundled", "wire")}, with the signer and JMESPath ${imported("import, bundled", "parts")}, that of the light client's handler ${imported("import, unbundled", "light")} unbundled and ` +
        `${imported("import, bundled", "light")} bundled, the peer's ${imported("import, unbundled", "peer")} and ${imported("import, bundled", "peer")}. A third of that is ${inMillis(importOf("import, bundled", "peer") / 3)}: the same bundle read and not run, in a function that nobody calls, takes ${imported("import, unbundled", "unrun")} of it, Node.js's own modules included. An eighth of the other is ${inMillis(importOf("import, unbundled", "peer") / 8)}: \`node:https\`, the signer and JMESPath take ${imported("import, unbundled", "parts")} of it in files of their own, and the light client's handler ${imported("import, bundled", "light")} where all of it is one file. ` +
        `Over the SDK, that and JMESPath alone take ${imported("import, bundled", "sdkParts")}: to be no slower than the peer, all of lambda-once would have ${inMillis(importOf("import, bundled", "peer") - importOf("import, bundled", "sdkParts"))}.`,
      `- **Bundle.** The light client's handler is ${kB(whole)} of code, minified, which makes ${kB(sizes["light"])} compressed; 25 kB would be about ${kB((25_000 / (sizes["light"] ?? Number.NaN)) * whole)}. JMESPath, the signer, the light client without its options and the claims alone are ${kB(least)} ([below](#bundle-of-a-wrapped-handler-with-its-store)); keys and fingerprints, ` +
        `DynamoDB's records, stored results, checked options and errors, steps and commits are the other ${kB(whole - least)}. Over the SDK, that and JMESPath alone make ${kB(sizes["sdkParts"])} of the peer's ${kB(sizes["peer"])}, compressed: all of lambda-once would have ${kB((sizes["peer"] ?? Number.NaN) - (sizes["sdkParts"] ?? Number.NaN))}.`,
      `- **Cached replays.** Each caller gets a value of its own, which it may change: with a small result ${micros(small, "light")} beside ${micros(small, "peer")}. The peer hands out the one object that it keeps, so that ` +
        `a result of 100 kB costs it ${micros(large, "peer")}, and lambda-once, which decodes it each time, ${micros(large, "light")}: JSON.parse alone.`,
      `- **Replays on DynamoDB Local.** Ten at a time it takes ${(many?.local ?? Number.NaN).toFixed(0)} µs of CPU time for each by itself, on two processors that it shares with the client: were the client to take nothing, and it both ` +
        `of them, ${(2e6 / (many?.local ?? Number.NaN)).toFixed(0)} a second would be ${ratio(2e6 / (many?.local ?? Number.NaN) / (many?.perSecond["peer"] ?? Number.NaN))} times the peer's. Over the SDK the client that \`dynamoDBStore()\` makes gets ${many?.perSecond["bare"]?.toFixed(0) ?? "-"} by itself, ${ratio(many?.more["bare"])} times the peer's, and ${many?.perSecond["own"]?.toFixed(0) ?? "-"} with lambda-once around it.`,
    ].join("\n"),
  ];
}
