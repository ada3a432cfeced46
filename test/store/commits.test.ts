import { memoryStore } from "../../src/store/memory.ts";
import { memoryTables } from "../../src/testing.ts";
import { describeCommits } from "../contract/commits.ts";
import { START } from "../contract/requests.ts";
import { handClock } from "../contract/store.ts";

describeCommits("memoryStore", async () => {
  const tables = memoryTables({ orders: { key: ["id"] } });
  const store = memoryStore({ clock: handClock(START), tables });
  return {
    store,
    table: "orders",
    get: async (id) => tables.get("orders", { id }),
    seed: async (item) => {
      const { id } = item;
      if (id !== undefined && "S" in id) store.items.set(id.S, structuredClone(item));
    },
    raw: async (id) => structuredClone(store.items.get(id)),
  };
});
