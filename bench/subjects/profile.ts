import { Session } from "node:inspector/promises";

/** Microseconds in which a function itself was on the stack's top, by function. */
export type Profile = readonly Frame[];

export interface Frame {
  readonly name: string;
  /** The file, `node:...`, or nothing for what is not JavaScript. */
  readonly url: string;
  readonly line: number;
  readonly self: number;
}

/** Runs work under V8's sampling profiler, the one of `node --cpu-prof`. */
export async function profiled<Outcome>(work: () => Promise<Outcome>): Promise<Outcome & { profile: Profile }> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: 200 });
  await session.post("Profiler.start");
  const outcome = await work();
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  const selves = new Map<number, number>();
  for (const [at, id] of (profile.samples ?? []).entries()) {
    selves.set(id, (selves.get(id) ?? 0) + (profile.timeDeltas?.[at] ?? 0));
  }
  const frames = profile.nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => ({
    name: functionName,
    url,
    line: lineNumber,
    self: selves.get(id) ?? 0,
  }));
  return { ...outcome, profile: frames.filter(({ self }) => self > 0) };
}
