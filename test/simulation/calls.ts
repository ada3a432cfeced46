import { isIdempotencyError } from "../../src/core/errors.ts";
import type { IdempotencyEvent } from "../../src/core/observe.ts";
import { ceilSeconds, epochMillis } from "../../src/core/time.ts";
import type { Binding } from "../../src/lambda/binding.ts";
import { execute } from "../../src/lambda/idempotent.ts";
import { compileOperation, type Operation } from "../../src/lambda/operation.ts";
import type { Options } from "../../src/lambda/options.ts";
import { checkAnswer } from "./answers.ts";
import { perform } from "./functions.ts";
import { type Answer, type Call, keyOf } from "./history.ts";
import { type Machine, machineOf } from "./machine.ts";
import { networkOf } from "./network.ts";
import type { FunctionPlan, Identity, OperationPlan } from "./scenario.ts";
import type { Simulation } from "./simulation.ts";
import { EPOCH } from "./world.ts";

/** A process with its wrapped functions. It serves one call at a time, as a Lambda's sandbox does. */
export interface Worker {
  readonly machine: Machine;
  isIdle(): boolean;
  /** `then` is called with the answer, where one comes. */
  call(identity: Identity, fingerprint: string, plan: FunctionPlan, then?: (answer: Answer) => void): Call;
}

type Arguments = readonly [{ readonly call: Call }, unknown];

export function workerOf(simulation: Simulation, name: string): Worker {
  const isOdd = simulation.world.random.chance(0.5);
  const { world, scenario, history } = simulation;
  const half = Math.floor(scenario.lockMargin / 2);
  const operations = new Map<string, Operation>();
  let current: Call | undefined;

  const machine = machineOf(world, {
    name,
    skew: world.random.int(-half, half),
    uniqueId() {
      const owner = `o${history.owners.size + 1}`;
      if (current !== undefined) {
        current.owner = owner;
        history.owners.set(owner, current);
      }
      return owner;
    },
    before: simulation.mayDie,
  });
  const store = networkOf(simulation, machine, () => current);

  function observe(event: IdempotencyEvent): void {
    world.tell(
      name,
      () =>
        `is told: ${event.type}${"code" in event ? ` ${event.code}` : ""}${"reason" in event ? ` (${event.reason})` : ""}`,
    );
    if (current !== undefined && (event.type === "save_failed" || event.type === "claim_lost")) current.unsaved = true;
  }

  const claimsAtCommit = (plan: OperationPlan): boolean => plan.mode === "at commit" && !(plan.mixed && isOdd);

  function operationOf(plan: OperationPlan): Operation {
    const known = operations.get(plan.name);
    if (known !== undefined) return known;
    const made = compileOperation(optionsOf(simulation, plan, claimsAtCommit(plan), { store, observe }));
    const { engine } = made.settings;
    const changed = simulation.mutant?.engine?.(engine);
    Object.assign(engine, { runtime: machine.runtime }, changed);
    operations.set(plan.name, made);
    return made;
  }

  async function carryOut(call: Call): Promise<Answer> {
    const operation = operationOf(call.identity.operation);
    const begunAt = machine.runtime.monotonic();
    const { remaining } = call;
    const context =
      remaining === undefined
        ? {}
        : { getRemainingTimeInMillis: () => remaining - (machine.runtime.monotonic() - begunAt) };
    const args = [{ call }, context] as const;
    const prepared = operation.prepare(args, context);
    const id = prepared.id as string;
    call.id = id;
    const key = keyOf(history, id, call.identity);
    if (key.identity !== call.identity) simulation.fail("I6", `two keys have the record ${id}`);
    const begun = await prepared.begin();
    switch (begun.status) {
      case "claimed": {
        const claim = simulation.mutant?.claim?.(begun.claim) ?? begun.claim;
        const answered = await execute(claim, context, () => perform(simulation, call), undefined, args);
        if (answered.status === "refused") return { status: "threw", error: answered.error };
        return { kept: true, ...answered };
      }
      case "replayed":
        return { ...begun, kept: true };
      case "unheld":
        throw new Error("a call without a claim");
      default: {
        simulation.mutant?.refused?.(simulation, call, begun.error);
        return { status: "threw", error: begun.error };
      }
    }
  }

  return {
    machine,
    isIdle: () => machine.alive() && current === undefined,
    call(identity, fingerprint, plan, then) {
      const { remaining } = scenario;
      const call: Call = {
        ...{ number: history.calls.length + 1, identity, fingerprint, plan, machine, begunAt: world.now(), remaining },
        ...{
          vacant: claimsAtCommit(identity.operation),
          probe: then !== undefined,
          freezesBefore: machine.freezes(),
          sturdy: world.random.chance(0.7),
        },
        ...{ faults: 0, locksMet: 0, busyMet: 0, conflicts: 0, met: new Set<string>(), unsaved: false },
      };
      history.calls.push(call);
      current = call;
      const { principal, key, operation } = identity;
      world.tell(
        name,
        () =>
          `CALL ${call.number} of ${operation.name} ${principal} ${key} ${fingerprint}, clock ${machine.skew()} ms off`,
      );
      const ended = (answer: Answer): void => {
        call.endedAt = world.now();
        call.answer = answer;
        current = undefined;
        world.tell(name, () => `answers call ${call.number}: ${shown(answer)}`);
        checkAnswer(simulation, call, answer);
        then?.(answer);
      };
      carryOut(call).then(ended, (error: unknown) => ended({ status: "threw", error }));
      if (remaining !== undefined && !call.probe) {
        world.after(remaining - 1, () => {
          if (call.endedAt !== undefined || (call.sturdy && machine.freezes() > call.freezesBefore)) return;
          world.tell(name, () => "is out of time");
          machine.crash();
        });
      }
      return call;
    },
  };
}

function optionsOf(
  simulation: Simulation,
  plan: OperationPlan,
  vacant: boolean,
  edge: Pick<Options<Arguments, unknown>, "store"> & { readonly observe: (event: IdempotencyEvent) => void },
): Options<Arguments, unknown> {
  const seconds = (millis: number): { seconds: number } => ({ seconds: millis / 1000 });
  const { random } = simulation.world;
  const { mutant } = simulation;
  return {
    ...edge,
    ...(mutant?.client && { store: mutant.client(edge.store) }),
    operation: plan.name,
    ...(plan.tokens === undefined ? selectors(plan) : { binding: tokensOf(plan, EPOCH + plan.tokens) }),
    ...(plan.cached && { cache: { entries: 10, bytes: 100_000 } }),
    expiresAfter: seconds(Math.max(plan.retention, plan.lockFor ?? 0)),
    deadlineMargin: seconds(plan.deadlineMargin),
    claimAt: vacant ? "commit" : "start",
    whenCompleted: plan.whenCompleted,
    lookup: plan.lookup,
    ...(!vacant && {
      whenAbandoned: plan.whenAbandoned,
      whenInProgress:
        typeof plan.whenInProgress === "number" ? { wait: seconds(plan.whenInProgress) } : plan.whenInProgress,
      lockMargin: seconds(simulation.scenario.lockMargin),
      ...(plan.lockFor !== undefined && { lockFor: seconds(plan.lockFor) }),
    }),
    ...(plan.remember !== "default" && {
      remember: ({ status }) => {
        if (simulation.calm()) return "keep";
        if (plan.remember === "keeps errors") return "keep";
        return random.pick(
          status === "threw" ? (["keep", "release", "hold"] as const) : (["keep", "keep", "release", "hold"] as const),
        );
      },
    }),
  };
}

function selectors({ fingerprinted }: OperationPlan): Partial<Options<Arguments, unknown>> {
  return {
    key: ({ call }) => call.identity.key,
    principal: ({ call }) => call.identity.principal,
    ...(fingerprinted && { fingerprint: ({ call }: Arguments[0]) => call.fingerprint }),
  };
}

/** What `token()` gives a binding, without its cryptography. */
function tokensOf({ fingerprinted }: OperationPlan, until: number): Binding<Arguments, unknown> {
  return {
    name: "tokens",
    identify: ({ call: { identity, fingerprint } }) => ({
      ...{ key: identity.key, principal: identity.principal, ...(fingerprinted && { fingerprint }) },
      redeem: () => ({ key: identity.key, until: ceilSeconds(epochMillis(until)) }),
    }),
  };
}

function shown(answer: Answer): string {
  if (answer.status === "threw") {
    const { error } = answer;
    return isIdempotencyError(error) ? `${error.code}: ${error.message}` : String(error);
  }
  return `${answer.status}, attempt ${answer.attempt}, ${JSON.stringify(answer.result)?.slice(0, 120)}`;
}
