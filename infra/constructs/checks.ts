import { type Duration, Token } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

/** Ends the synthesis, naming the construct. `sentence` says the value given and the values allowed. */
export function refuse(scope: IConstruct, sentence: string): never {
  throw new Error(`${scope.node.path}: ${sentence}`);
}

/** Refuses what is no whole number of this range. A value that is known only at deployment passes. */
export function checkWhole(
  scope: IConstruct,
  name: string,
  value: number | undefined,
  [least, most]: readonly [least: number, most: number],
): void {
  if (value === undefined || Token.isUnresolved(value)) return;
  if (Number.isInteger(value) && value >= least && value <= most) return;
  refuse(scope, `${name} is ${value}; allowed are the whole numbers from ${least} to ${most}`);
}

/** Refuses a duration outside of this range of seconds, and a fraction of a second. */
export function checkSeconds(
  scope: IConstruct,
  name: string,
  value: Duration | undefined,
  [least, most]: readonly [least: number, most: number],
): void {
  const seconds = secondsOf(value);
  if (seconds === undefined || (Number.isInteger(seconds) && seconds >= least && seconds <= most)) return;
  refuse(scope, `${name} is ${seconds} s; allowed are whole seconds from ${least} s to ${most} s`);
}

/** The seconds of a duration; `undefined` where there is none, or it is known only at deployment. */
export function secondsOf(duration: Duration | undefined): number | undefined {
  return duration === undefined || duration.isUnresolved() ? undefined : duration.toSeconds({ integral: false });
}
