/** A process of its own that runs seeds for `run.ts`. */
import { type Campaign, runSeeds } from "./campaign.ts";

export interface Order {
  readonly from: number;
  readonly to: number;
}

process.on("message", ({ from, to }: Order) => {
  runSeeds(from, to).then(
    (campaign: Campaign) => process.send?.(campaign),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
