import { FIGURES, type Figure } from "../bounds.ts";
import type { Results } from "../results.ts";
import { ratio, table } from "./table.ts";

const LABELS = { light: "light", own: "SDK", sdk: "SDK, the peer's client" } as const;

/** A ratio that rounds to the aim has reached it. */
const reached = ({ aim }: Figure, value: number): string =>
  Number(ratio(value)) >= Number(ratio(aim)) ? "reached" : "**not reached**";

/** Each figure: what is to be reached, what was measured, and whether that is enough. */
export const figuresTable = (results: Results): string =>
  table(
    ["figure, as a ratio to the peer", "client", "aim", "measured", ""],
    FIGURES.map((figure) => {
      const value = figure.of(results);
      return [figure.name, LABELS[figure.client], ratio(figure.aim), ratio(value), reached(figure, value)];
    }),
  );
