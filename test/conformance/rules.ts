import { randomUUID } from "node:crypto";
import { type Change, exchange, type Received, type Target } from "./exchange.ts";

/**
 * One rule of draft-ietf-httpapi-idempotency-key-header-07 (15 October 2025). Almost all that it asks of a resource is a
 * SHOULD: its MUSTs bind the key's syntax, clients, and what comes after a refusal.
 */
export interface Rule {
  /** Where the rule stands. */
  readonly section: string;
  /** How the draft words it. `beyond`: the draft leaves it open, or shows it in examples only, and clients rely on it. */
  readonly level: "MUST" | "SHOULD" | "beyond";
  readonly sentence: string;
  /** Resolves where the endpoint keeps the rule, rejects with what it did instead. */
  check(target: Target): Promise<void>;
}

const quoted = (key: string): string => `"${key}"`;
const fresh = (): string => quoted(randomUUID());

export const RULES: readonly Rule[] = [
  {
    section: "2.1",
    level: "MUST",
    sentence: "the key is a structured string in quotes",
    async check(target) {
      isSuccess(await exchange(target, { keys: [fresh()] }));
    },
  },
  {
    section: "2.7",
    level: "SHOULD",
    sentence: "a value that is no structured string (no closing quote) counts as missing (RFC 8941, 4.2): 400",
    async check(target) {
      hasStatus(await exchange(target, { keys: [`"${randomUUID()}`] }), 400);
    },
  },
  {
    section: "2.1",
    level: "beyond",
    sentence: "an empty key, though it is a structured string, is refused 400",
    async check(target) {
      hasStatus(await exchange(target, { keys: ['""'] }), 400);
    },
  },
  {
    section: "2.7",
    level: "SHOULD",
    sentence: "two keys in a request are no structured item, and count as missing (RFC 8941, 4.2): 400",
    async check(target) {
      hasStatus(await exchange(target, { keys: [fresh(), fresh()] }), 400);
    },
  },
  {
    section: "2.5.2",
    level: "SHOULD",
    sentence: "the key is found in whatever letter case the header's name is (RFC 9110, 5.1)",
    check: (target) => areOne(target, { name: "Idempotency-Key" }, { name: "IDEMPOTENCY-KEY" }),
  },
  {
    section: "2.1",
    level: "beyond",
    sentence: "parameters behind the string are not a part of the key",
    async check(target) {
      const key = fresh();
      await areOne(target, { keys: [key] }, { keys: [`${key};hint=1`] });
    },
  },
  {
    section: "2.1",
    level: "beyond",
    sentence: "a key without quotes, as most clients send it, is the same key",
    async check(target) {
      const key = randomUUID();
      await areOne(target, { keys: [quoted(key)] }, { keys: [key] });
    },
  },
  {
    section: "2.7",
    level: "SHOULD",
    sentence: "a key that is reused for another payload is refused 422",
    async check(target) {
      const keys = [fresh()];
      isSuccess(await exchange(target, { keys }));
      hasStatus(await exchange(target, { keys, body: target.otherBody }), 422);
    },
  },
  {
    section: "2.7",
    level: "MUST",
    sentence: "a request that was refused fails again (400, 409 or 422) where its client has not corrected it",
    async check(target) {
      const keys = [fresh()];
      isSuccess(await exchange(target, { keys }));
      for (const wrong of [{ keys, body: target.otherBody }, {}]) {
        if (!REFUSALS.includes((await exchange(target, wrong)).status)) continue;
        const again = await exchange(target, wrong);
        if (!REFUSALS.includes(again.status)) throw new Error(`answered ${show(again)}, having refused it before`);
      }
    },
  },
  {
    section: "2.4",
    level: "beyond",
    sentence: "JSON in another layout is the same payload",
    check: (target) => areOne(target, {}, { body: JSON.stringify(JSON.parse(target.body), null, 3) }),
  },
  {
    section: "2.6",
    level: "SHOULD",
    sentence: "a first request is processed normally, also where its payload has been seen under another key",
    async check(target) {
      isSuccess(await exchange(target, { keys: [fresh()] }));
      isSuccess(await exchange(target, { keys: [fresh()] }));
    },
  },
  {
    section: "2.6",
    level: "SHOULD",
    sentence: "a retry after completion gets the result of the first request",
    check: (target) => areOne(target, {}, {}),
  },
  {
    section: "2.6",
    level: "SHOULD",
    sentence:
      "a retry before completion is a conflict (409, with a description), or gets the result where that was quicker",
    async check(target) {
      const keys = [fresh()];
      const answers = await Promise.all([1, 2, 3, 4, 5].map(() => exchange(target, { keys })));
      const successes = answers.filter(({ status }) => status >= 200 && status < 300);
      if (successes.length === 0) throw new Error(`none of 5 was processed: ${answers.map(show).join(", ")}`);
      for (const answer of successes) isEqual(answer, successes[0] as Received);
      for (const answer of answers) {
        if (successes.includes(answer)) continue;
        hasStatus(answer, 409);
        if (answer.body.trim() === "") throw new Error("the body of the 409 is empty");
      }
      isEqual(await exchange(target, { keys }), successes[0] as Received);
    },
  },
  {
    section: "2.7",
    level: "SHOULD",
    sentence: "a missing key is refused 400",
    async check(target) {
      hasStatus(await exchange(target, {}), 400);
    },
  },
  {
    section: "2.7",
    level: "SHOULD",
    sentence: "the 400 links to documentation, in its body or in Link",
    async check(target) {
      linksToDocumentation(await exchange(target, {}));
    },
  },
  {
    section: "2.7",
    level: "SHOULD",
    sentence: "the 422 links to documentation, in its body or in Link",
    async check(target) {
      const keys = [fresh()];
      await exchange(target, { keys });
      linksToDocumentation(await exchange(target, { keys, body: target.otherBody }));
    },
  },
  {
    section: "2.7",
    level: "beyond",
    sentence: "refusals are problem details (RFC 9457), as in the draft's examples, with the response's status",
    async check(target) {
      const answer = await exchange(target, {});
      const type = answer.headers["content-type"] ?? "none";
      if (!type.startsWith("application/problem+json")) throw new Error(`the content type is ${type}`);
      const { status, title } = JSON.parse(answer.body) as { status?: unknown; title?: unknown };
      if (status !== answer.status || typeof title !== "string")
        throw new Error("status or title are not as they should be");
    },
  },
  {
    section: "2.6",
    level: "SHOULD",
    sentence: "a request that its client has corrected after a refusal gets the result of the key's first one",
    async check(target) {
      const keys = [fresh()];
      const first = await exchange(target, { keys });
      isSuccess(first);
      await exchange(target, { keys, body: target.otherBody });
      isEqual(await exchange(target, { keys }), first);
    },
  },
];

/** "One of the above errors." */
const REFUSALS: readonly number[] = [400, 409, 422];

/** Both are the same request: it succeeds, and both get one answer. */
async function areOne(target: Target, one: Change, other: Change): Promise<void> {
  const keys = [fresh()];
  const first = await exchange(target, { keys, ...one });
  isSuccess(first);
  isEqual(await exchange(target, { keys, ...other }), first);
}

function isSuccess(answer: Received): void {
  if (answer.status < 200 || answer.status > 299) throw new Error(`answered ${show(answer)}, not a success`);
}

function hasStatus(answer: Received, status: number): void {
  if (answer.status !== status) throw new Error(`answered ${show(answer)}, not ${status}`);
}

function isEqual(answer: Received, first: Received): void {
  if (answer.status !== first.status || answer.body !== first.body) {
    throw new Error(`answered ${show(answer)}, where the first answer was ${show(first)}`);
  }
}

function linksToDocumentation({ headers, body }: Received): void {
  const inHeader = /<[^>]+>\s*;[^,]*rel="?(?:describedby|help)/i.test(headers["link"] ?? "");
  if (!inHeader && !/"https?:\/\/[^"]+"/.test(body)) throw new Error("no link in the body, and no Link header");
}

const show = ({ status, body }: Received): string => `${status} ${body.slice(0, 80)}`;
