import type { CredentialCache } from "./credentials.ts";
import type { Answer, Line, Unanswered } from "./exchange.ts";
import type { Failure } from "./failure.ts";
import type { LightCredentials } from "./provider.ts";
import type { LightRuntime } from "./runtime.ts";

/** What was sent, and what came of it. */
interface Failed {
  readonly error: Failure;
  readonly answer: Answer | Unanswered;
  /** The time that was signed. */
  readonly at: number;
  readonly pair: LightCredentials;
}

/** Knows what can be mended at once, so that the same request then succeeds. */
export interface Cures {
  /** Milliseconds to add to the machine's clock. */
  offset(): number;
  /** Mends what is wrong, each thing once for a request (`done`); whether something was mended. */
  find(failed: Failed, done: Set<string>): Promise<boolean>;
}

/** DynamoDB allows five minutes. */
const SKEW = 4 * 60_000;
const ABOUT_THE_CLOCK: ReadonlySet<string> = new Set([
  "AccessDeniedException",
  "AuthFailure",
  "InvalidSignatureException",
  "RequestExpired",
  "RequestInTheFuture",
  "RequestTimeTooSkewed",
  "SignatureDoesNotMatch",
]);
const ABOUT_CREDENTIALS: ReadonlySet<string> = new Set([
  "ExpiredToken",
  "ExpiredTokenException",
  "UnrecognizedClientException",
]);
const CLOSED: ReadonlySet<unknown> = new Set(["ECONNRESET", "EPIPE"]);

/** The cures for a connection that was closed while idle, for a wrong clock, and for credentials that have ended. */
export function cures({
  line,
  credentials,
  runtime,
}: {
  line: Line;
  credentials: CredentialCache;
  runtime: LightRuntime;
}): Cures {
  let offset = 0;

  /** A function that was frozen finds all of its connections closed: the next one is a new one. */
  const reconnect = ({ error, answer }: Failed): boolean => {
    const isClosed = CLOSED.has(error.code);
    if (!("reused" in answer) || !answer.reused || !(isClosed || error.name === "TimeoutError")) return false;
    for (const socket of Object.values(line.agent.freeSockets).flat()) socket?.destroy();
    // One that nobody answers on may be dead, too, but the server only slow: that is a try.
    return isClosed;
  };
  /** Compared with what was signed: it may have been long ago, and somebody else may have set the clock since. */
  const setClock = ({ error, answer, at }: Failed): boolean => {
    if (!("headers" in answer) || !ABOUT_THE_CLOCK.has(error.name)) return false;
    const theirs = Date.parse(answer.headers.date ?? "");
    if (!(Math.abs(theirs - at) >= SKEW)) return false;
    offset = theirs - runtime.now();
    return true;
  };
  const renew = async ({ error, pair }: Failed): Promise<boolean> =>
    // The refusal says more than what failed in its wake.
    ABOUT_CREDENTIALS.has(error.name) && credentials.renew(pair).catch(() => false);

  const all = { reconnect, setClock, renew };
  return {
    offset: () => offset,
    async find(failed, done) {
      for (const [name, cure] of Object.entries(all)) {
        if (done.has(name) || !(await cure(failed))) continue;
        done.add(name);
        return true;
      }
      return false;
    },
  };
}
