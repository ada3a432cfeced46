/** Something that a template names. */
export interface Named {
  /** Logical id. */
  readonly id: string;
  /** Physical name. */
  readonly name: string;
}

/**
 * The one of `all` that is meant by a logical id (with or without CDK's hash), a physical name or the beginning of a
 * logical id.
 *
 * @throws Error naming all of them where none or more than one is meant.
 */
export function pick<T extends Named>(kind: string, all: readonly T[], meant: string): T {
  const rules: readonly ((one: T) => boolean)[] = [
    ({ id, name }) => id === meant || name === meant,
    ({ id }) => id.replace(/[0-9A-F]{8}$/, "") === meant,
    ({ id }) => id.startsWith(meant),
  ];
  for (const rule of rules) {
    const [one, ...others] = all.filter(rule);
    if (one !== undefined && others.length === 0) return one;
    if (one !== undefined) break;
  }
  throw new Error(
    `"${meant}" is not the name of one ${kind}; there are: ${all.map(({ id }) => id).join(", ") || "none"}`,
  );
}
