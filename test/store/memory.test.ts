import { describe, expect, it } from "vitest";
import { type EpochSeconds, epochMillis } from "../../src/core/time.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { START } from "../contract/requests.ts";
import { describeStore, handClock } from "../contract/store.ts";

describeStore("memoryStore", async () => {
  const clock = handClock(START);
  const store = memoryStore({ clock });
  return {
    store,
    clock,
    seed: async (item) => {
      const { id } = item;
      if (id !== undefined && "S" in id) store.items.set(id.S, structuredClone(item));
    },
    raw: async (id) => structuredClone(store.items.get(id)),
  };
});

describe("memoryStore", () => {
  it("keeps its records apart from those of another one", async () => {
    const now = epochMillis(START);
    const claim = { id: "a", owner: "o", now, lockedUntil: now, expiresAt: 1 as EpochSeconds, fingerprint: undefined };
    expect((await memoryStore().claim(claim)).outcome).toBe("claimed");
    expect((await memoryStore().claim(claim)).outcome).toBe("claimed");
  });

  it("has the machine's clock where none is given", () => {
    expect(Math.abs(memoryStore().clock.now() - Date.now())).toBeLessThan(1_000);
  });

  it.each([
    ["an unknown option", { table: "x" }, "memoryStore() has no option 'table'; allowed are clock"],
    ["a clock that is a function", { clock: Date.now }, "memoryStore(): clock is a function; allowed is { now() }"],
    ["no options object", "orders", "memoryStore() was given 'orders'; allowed is an object with clock"],
    ["null", null, "memoryStore() was given null"],
  ])("refuses %s", (_, options, message) => {
    expect(() => memoryStore(options as never)).toThrow(
      expect.objectContaining({ code: "config", message: expect.stringContaining(message) }),
    );
  });
});
