import type { Encoded } from "../../src/core/record.ts";
import type { IdempotencyStore } from "../../src/core/store.ts";
import { after, ceilSeconds, nowOf } from "../../src/core/time.ts";

/** A step is marked and recorded, and then its mark comes once more: what that is answered, and what the record holds. */
export async function lateMark(store: IdempotencyStore): Promise<{ outcome: string; step: Encoded | undefined }> {
  const held = { id: `op#${Math.random()}`, owner: "me" };
  const now = nowOf(store.clock);
  const lockedUntil = after(now, 60_000);
  await store.claim({ ...held, now, lockedUntil, expiresAt: ceilSeconds(lockedUntil), fingerprint: undefined });
  const mark = { ...held, name: "charge", step: { encoding: "started", data: "me" } };
  await store.checkpoint(mark);
  await store.checkpoint(mark); // After a lost response it is the same mark.
  await store.checkpoint({ ...mark, step: { encoding: "json", data: '"charged"' } });
  const { outcome } = await store.checkpoint(mark);
  const found = await store.read(held.id, { consistent: true });
  return { outcome, step: found?.status === "IN_PROGRESS" ? found.steps["charge"] : undefined };
}
