import { IdempotencyStoreError } from "../../src/core/errors.ts";
import type { Found } from "../../src/core/record.ts";
import type { ClaimRequest, CommitRequest } from "../../src/core/store.ts";
import { epochMillis } from "../../src/core/time.ts";
import { outcomeIsUnknown } from "../../src/core/unknown.ts";
import type { Mutant } from "./simulation.ts";

/** A record as if somebody else had written it. */
const asAnothers = (found: Found): Found =>
  found === undefined || found.status === "UNREADABLE" ? found : { ...found, owner: "nobody" };

/** Records whose release has failed lately. */
const failedReleases = new Set<string>();

const inMillis = <R extends { readonly expiresAt?: unknown }>(request: R): R =>
  typeof request.expiresAt === "number" ? { ...request, expiresAt: request.expiresAt * 1000 } : request;

/** The record as if its call still ran. */
function running(found: Found): Found {
  if (found?.status !== "COMPLETED") return asAnothers(found);
  const { result: _, completedAt, ...rest } = found;
  return { ...rest, status: "IN_PROGRESS", owner: "nobody", lockedUntil: completedAt, steps: {} };
}

const withFingerprint = (found: Found, { fingerprint }: ClaimRequest): Found =>
  found === undefined || found.status === "UNREADABLE" ? found : { ...found, fingerprint };

/** The engine, broken in one place each from outside: what it asks, and what it understands of the answers. */
export const ENGINE_MUTANTS: readonly Mutant[] = [
  {
    name: "`<` for `<=` on the lock's end in the decision",
    rare: true,
    client: (store) => ({
      ...store,
      claim: async (request) => {
        const answer = await store.claim(request);
        if (answer.outcome !== "conflict" || answer.found?.status !== "IN_PROGRESS") return answer;
        return { ...answer, found: { ...answer.found, lockedUntil: epochMillis(answer.found.lockedUntil + 1) } };
      },
    }),
  },
  {
    name: "milliseconds for seconds in expiresAt",
    client: (store) => ({
      ...store,
      claim: (request) => store.claim(inMillis(request)),
      complete: (request) => store.complete(inMillis(request)),
    }),
  },
  {
    name: "seconds for milliseconds in lockedUntil",
    client: (store) => ({
      ...store,
      claim: (request) => store.claim({ ...request, lockedUntil: epochMillis(Math.ceil(request.lockedUntil / 1000)) }),
    }),
  },
  {
    name: "no self-recognition of a lost claim response",
    client: (store) => ({
      ...store,
      claim: async (request) => {
        const answer = await store.claim(request);
        return answer.outcome === "conflict" ? { ...answer, found: asAnothers(answer.found) } : answer;
      },
    }),
  },
  {
    name: "no self-recognition of a lost completion",
    client: (store) => ({
      ...store,
      complete: async (request) => {
        const answer = await store.complete(request);
        const isOwn = answer.outcome === "conflict" && Object(answer.found).owner === request.owner;
        return isOwn ? { outcome: "conflict", found: running(answer.found) } : answer;
      },
    }),
  },
  {
    name: "no self-recognition of a lost commit",
    client: (store) => ({
      ...store,
      commit: async (request) => {
        const answer = await (store.commit as NonNullable<typeof store.commit>)(request);
        const isOwn = answer.outcome === "conflict" && Object(answer.found).owner === request.record?.owner;
        return isOwn ? { outcome: "conflict", found: running(answer.found) } : answer;
      },
    }),
  },
  {
    name: "released after an unknown outcome",
    claim: (claim) => ({
      ...claim,
      get signal() {
        return claim.signal;
      },
      threw: (error) => claim.threw(outcomeIsUnknown(error) ? new Error("known") : error),
    }),
  },
  {
    name: "released after the deadline",
    claim: (claim) => ({
      ...claim,
      get signal() {
        return claim.signal;
      },
      threw: async (error) => {
        if (claim.remainingTimeInMillis() > 0) return claim.threw(error);
        await claim.cancel();
        return undefined;
      },
    }),
  },
  {
    name: "result returned although the commit is unknown",
    client: (store) => ({
      ...store,
      commit: async (request) => {
        try {
          return await (store.commit as NonNullable<typeof store.commit>)(request);
        } catch {
          return { outcome: "written" };
        }
      },
    }),
  },
  {
    name: "an answer to what the client has sent again taken for the whole truth",
    rare: true,
    client: (store) => ({
      ...store,
      commit: async (request) => {
        const answer = await (store.commit as NonNullable<typeof store.commit>)(request);
        const { resent: _, ...rest } = answer as typeof answer & { readonly resent?: true };
        return rest;
      },
    }),
  },
  {
    name: "a commit's token from id and attempt",
    client: (store) => ({
      ...store,
      commit: (request: CommitRequest) =>
        (store.commit as NonNullable<typeof store.commit>)({ ...request, token: `${request.record?.id}/1` }),
    }),
  },
  {
    name: "a step that is to begin once begins without its mark",
    client: (store) => ({
      ...store,
      checkpoint: async (request) =>
        request.step.encoding === "started" ? { outcome: "written" } : store.checkpoint(request),
    }),
  },
  {
    name: "a step's failing save is swallowed",
    client: (store) => ({
      ...store,
      checkpoint: async (request) => {
        try {
          return await store.checkpoint(request);
        } catch {
          return { outcome: "written" };
        }
      },
    }),
  },
  {
    name: "fingerprint ignored",
    client: (store) => ({
      ...store,
      claim: async (request) => {
        const answer = await store.claim(request);
        return answer.outcome === "conflict" ? { ...answer, found: withFingerprint(answer.found, request) } : answer;
      },
    }),
  },
  {
    name: "a token that nobody has issued is claimed",
    client: (store) => ({ ...store, claim: ({ issued: _, ...request }) => store.claim(request) }),
  },
  {
    name: "no margin after the lock's default end",
    engine: () => ({ lockMargin: 0 }),
  },
  {
    name: "a record that expires with its lock",
    client: (store) => ({
      ...store,
      claim: (request) => {
        const { expiresAt, lockedUntil } = request;
        if (expiresAt === undefined) return store.claim(request);
        return store.claim({ ...request, expiresAt: Math.ceil(lockedUntil / 1000) as typeof expiresAt });
      },
    }),
  },
  {
    name: "a failing release masks the business error",
    client: (store) => ({
      ...store,
      release: async (request) => {
        try {
          return await store.release(request);
        } catch (error) {
          failedReleases.add(request.id);
          throw error;
        }
      },
    }),
    claim: (claim) => ({
      ...claim,
      get signal() {
        return claim.signal;
      },
      threw: async (error) => {
        failedReleases.delete(claim.id);
        const answer = await claim.threw(error);
        if (!failedReleases.has(claim.id)) return answer;
        throw new IdempotencyStoreError({ reason: "unavailable", detail: "the release failed" });
      },
    }),
  },
];
