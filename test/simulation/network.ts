import { IdempotencyStoreError } from "../../src/core/errors.ts";
import type { Found } from "../../src/core/record.ts";
import type {
  CheckpointRequest,
  ClaimRequest,
  CommitRequest,
  CompleteRequest,
  IdempotencyStore,
  ReleaseRequest,
} from "../../src/core/store.ts";
import { canMeet, FAULTS, type Fault, type RequestKind } from "./faults.ts";
import { type Call, keyOf } from "./history.ts";
import type { Machine } from "./machine.ts";
import type { Verb } from "./server.ts";
import type { Simulation } from "./simulation.ts";
import { show } from "./transitions.ts";

/** The store as one process sees it: through a network that loses, delays and repeats, and with the process's own clock. */
export function networkOf(simulation: Simulation, machine: Machine, callOf: () => Call | undefined): IdempotencyStore {
  const { world, scenario, server } = simulation;
  const { random } = world;

  function faultFor(kind: RequestKind): Fault {
    const calm = simulation.calm() || !random.chance(scenario.faultiness);
    // A commit is one request of many, and what it says is the last word: it meets this fault more often than its share.
    const isOvertaken = kind.startsWith("commit") && simulation.faults.includes("overtaken") && random.chance(0.3);
    const drawn = calm ? "none" : isOvertaken ? "overtaken" : random.pick(simulation.faults);
    const fault = canMeet(kind, drawn) && simulation.spend(drawn) ? drawn : "none";
    simulation.coverage.count(kind, fault);
    return fault;
  }

  function send<Answer>(kind: RequestKind, verb: Verb, request: unknown): Promise<Answer> {
    const fault = faultFor(kind);
    const call = callOf();
    if (fault !== "none" && call !== undefined) call.faults++;
    const there = random.int(0, scenario.latency);
    const back = random.int(0, scenario.latency);
    const pastLock = random.int(10, random.pick([300, 2_000, 8_000, 20_000]));
    const name = machine.name;
    const sentAt = machine.clock.now();
    world.tell(name, () => `sends ${kind} ${shorten(request)}${fault === "none" ? "" : `  [${fault}]`}`);

    return new Promise<Answer>((resolve, reject) => {
      const hear = (millis: number, answer: Promise<unknown>): void => {
        const heard = (then: () => void): void => void machine.after(millis, then);
        answer.then(
          (value) =>
            heard(() => {
              if (call !== undefined) see(call, verb, sentAt, value);
              resolve(value as Answer);
            }),
          (error: unknown) => heard(() => reject(error)),
        );
      };
      const failing = (millis: number, reason: "timeout" | "unavailable" | "throttled" | "access_denied"): void =>
        void machine.after(millis, () => {
          world.tell(name, () => `hears that ${kind} failed: ${reason}`);
          reject(new IdempotencyStoreError({ reason, detail: "injected" }));
        });
      const carryOut = (): Promise<unknown> => {
        const answer = verb === "read" ? readNow(request) : server.carryOut(verb, request);
        if (call?.probe !== true) keyOf(simulation.history, idOf(verb, request)).touchedAt = world.now();
        world.tell("store", () => `${kind} of ${name}: ${show(server.found(idOf(verb, request)))}`);
        answer.catch(() => {});
        return answer;
      };
      const lost = (): "timeout" | "unavailable" => random.pick(["timeout", "unavailable"] as const);
      const arrive = (millis: number, then: (answer: Promise<unknown>) => void = () => {}): void =>
        world.after(millis, () => then(carryOut()));

      switch (fault) {
        case "none":
          return arrive(there, (answer) => hear(back, answer));
        case "fails before":
          return failing(there, lost());
        case "throttled":
          return failing(there, "throttled");
        case "denied":
          return failing(there, "access_denied");
        case "fails after":
          arrive(there);
          return failing(there + back, lost());
        case "busy":
          return void machine.after(there, () => {
            const answer = { outcome: "busy" };
            if (call !== undefined) see(call, verb, sentAt, answer);
            resolve(answer as Answer);
          });
        case "silence":
          return;
        case "zombie":
          if (random.chance(0.5)) failing(there + back, lost());
          return arrive(there + pastLock);
        case "sent twice":
          return arrive(there, () => arrive(back + random.int(1, 100), (answer) => hear(back, answer)));
        case "overtaken":
          arrive(there + random.int(2, random.pick([60, 300, 2_000, 20_000])));
          return arrive(there + random.int(1, 100), (answer) => hear(back, answer.then(resent(verb))));
        case "echo":
          return arrive(there, (answer) => {
            hear(back, answer);
            // A refused transaction does not come once more: TLS keeps a network from that, and a client that sends again is `overtaken`.
            answer.then(
              (value) => Object(value).outcome !== "refused" && arrive(pastLock),
              () => {},
            );
          });
        case "late":
          machine.freeze(pastLock, random.chance(0.3));
          return arrive(there + pastLock, (answer) => hear(back, answer));
        case "crash before":
          return machine.crash();
        case "crash after":
          arrive(there);
          return void world.after(random.int(0, there + back), () => machine.crash());
        case "freeze":
          arrive(there, (answer) => hear(back, answer));
          return machine.freeze(pastLock, random.chance(0.3));
      }
    });
  }

  const readNow = (request: unknown): Promise<unknown> => {
    const { id, consistent } = request as { readonly id: string; readonly consistent: boolean };
    return server.read(id, consistent);
  };

  return {
    clock: machine.clock,
    claim: (request: ClaimRequest) => send(claimKind(request), "claim", request),
    complete: (request: CompleteRequest) =>
      send(request.status === "FAILED" ? "keep error" : "complete", "complete", request),
    release: (request: ReleaseRequest) => send(releaseKind(request), "release", request),
    checkpoint: (request: CheckpointRequest) =>
      send(request.step.encoding === "started" ? "mark step" : "record step", "checkpoint", request),
    renew: (request) => send("renew", "renew", request),
    commit: (request: CommitRequest) =>
      send(request.record?.from === "nothing" ? "commit as claim" : "commit", "commit", request),
    read: (id, { consistent }) => send(consistent ? "read" : "look", "read", { id, consistent }),
  };
}

/** What a store says of the sendings below it. */
const resent =
  (verb: Verb) =>
  (answer: unknown): unknown =>
    verb === "commit" && (answer as { readonly outcome: string }).outcome !== "written"
      ? { ...(answer as object), resent: true }
      : answer;

function claimKind({ from, issued }: ClaimRequest): RequestKind {
  if (from === undefined) return issued ? "redeem" : "claim";
  return from.status === "IN_PROGRESS" ? "take over" : "resume";
}

function releaseKind({ keepUntil, issuedUntil }: ReleaseRequest): RequestKind {
  if (keepUntil !== undefined) return "release";
  return issuedUntil === undefined ? "delete" : "reissue";
}

const idOf = (verb: Verb, request: unknown): string =>
  ((verb === "commit" ? (request as CommitRequest).record : request) as { readonly id: string }).id;

/** What a call has heard of its key: by it, what the call is told is judged. `sentAt` is by its own clock. */
function see(call: Call, verb: Verb, sentAt: number, answer: unknown): void {
  if (verb === "commit" || verb === "claim") {
    const { outcome } = answer as { readonly outcome: string };
    if (outcome === "busy") call.busyMet++;
    if (outcome !== "conflict") return;
    call.conflicts++;
  }
  const found = (verb === "read" ? answer : Object(answer).found) as Found;
  if (found === undefined || found.status === "UNREADABLE") return;
  call.met.add(found.status);
  if (found.fingerprint !== undefined && call.identity.operation.fingerprinted)
    call.met.add(`fingerprint of ${found.owner}`);
  if (found.status !== "IN_PROGRESS" || found.owner === call.owner) return;
  if (found.lockedUntil > sentAt) call.locksMet++;
  else call.met.add("lapsed");
}

function shorten(request: unknown): string {
  const { id: _, ...rest } = request as Record<string, unknown>;
  const text = JSON.stringify(rest);
  return text.length > 160 ? `${text.slice(0, 160)}...` : text;
}

/** A subset of the faults: runs that meet few kinds of faults often find what a mixture hides. */
export function someFaults(random: Simulation["world"]["random"]): readonly Fault[] {
  const all = FAULTS.filter((fault) => fault !== "none");
  if (random.chance(0.3)) return all;
  const some = all.filter(() => random.chance(0.35));
  return some.length === 0 ? [random.pick(all)] : some;
}
