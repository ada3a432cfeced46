import { FIGURES, type Figure } from "../bounds.ts";
import type { Results } from "../results.ts";
import { ratio, table } from "./table.ts";

/** A ratio that rounds to the aim has reached it. */
const reached = ({ aim }: Figure, value: number): string =>
  Number(ratio(value)) >= Number(ratio(aim)) ? "reached" : "**not reached**";

/** Each figure: what is to be reached, what was measured, and whether that is enough. */
export const figuresTable = (results: Results): string =>
  table(
    ["figure, as a ratio to the peer", "client", "aim", "measured", ""],
    FIGURES.map((figure) => {
      const value = figure.of(results);
      const client = figure.client === "light" ? "light" : "SDK";
      return [figure.name, client, ratio(figure.aim), ratio(value), reached(figure, value)];
    }),
  );
