/** The value below which this part of a list lies; the list is not empty. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * part)] as number;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** By round: both ran one after the other, so that what disturbs one disturbs the other. */
export const ratios = (of: readonly number[], to: readonly number[]): readonly number[] =>
  of.map((value, round) => value / (to[round] as number));
