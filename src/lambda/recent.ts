/** Enough for what one environment may see again within a moment; the ids are 80 bytes or so each. */
const MOST = 1_000;

/**
 * The keys that this process has begun lately. A repetition is then looked at before it is claimed: a
 * read costs a fraction of a failed conditional write.
 */
export interface Recent {
  /** Whether `id` was noted before; notes it. */
  note(id: string): boolean;
}

export function recentKeys(): Recent {
  const ids = new Set<string>();
  return {
    note(id) {
      const known = ids.delete(id);
      ids.add(id);
      if (ids.size > MOST) ids.delete(ids.values().next().value as string);
      return known;
    },
  };
}
