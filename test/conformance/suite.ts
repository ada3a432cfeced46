import type { Target } from "./exchange.ts";
import { RULES, type Rule } from "./rules.ts";

/** How an endpoint did by one rule. */
export interface Verdict {
  readonly rule: Rule;
  /** `undefined`: it keeps the rule. */
  readonly fault: string | undefined;
}

/** Checks all rules, one after another. */
export async function checkAll(target: Target): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const rule of RULES) {
    const fault = await rule.check(target).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    verdicts.push({ rule, fault });
  }
  return verdicts;
}

/** Whether an endpoint conforms: no rule is broken that the draft itself has. */
export const conforms = (verdicts: readonly Verdict[]): boolean =>
  verdicts.every(({ rule, fault }) => fault === undefined || rule.level === "beyond");

export function tableOf(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ rule, fault }) => {
    const row = `${fault === undefined ? "ok  " : "FAIL"}  ${rule.section.padEnd(5)}  ${rule.level.padEnd(6)}  ${rule.sentence}`;
    return fault === undefined ? row : `${row}\n                       ${fault}`;
  });
  const kept = verdicts.filter(({ fault }) => fault === undefined).length;
  return [...rows, "", `${kept} of ${verdicts.length} rules kept`].join("\n");
}
