/** A column of a plain text table. */
export interface Column {
  readonly title: string;
  readonly width: number;
}

const GAP = "  ";

/** The titles and a rule under them. */
export function head(columns: readonly Column[]): string {
  const titles = row(
    columns,
    columns.map(({ title }) => title),
  );
  return `${titles}\n${columns.map(({ width }) => "-".repeat(width)).join(GAP)}`;
}

/** One row; a cell that is too long goes on below itself. */
export function row(columns: readonly Column[], cells: readonly string[]): string {
  const wrapped = columns.map(({ width }, index) => wrap(cells[index] ?? "", width));
  const height = Math.max(...wrapped.map((lines) => lines.length));
  const line = (n: number): string =>
    columns.map(({ width }, index) => (wrapped[index]?.[n] ?? "").padEnd(width)).join(GAP);
  return Array.from({ length: height }, (_, n) => line(n).trimEnd()).join("\n");
}

/** Breaks at spaces, and inside a word only where it is longer than a line. */
function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1) ?? "";
    if (last !== "" && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else {
      const pieces = word.match(new RegExp(`.{1,${width}}`, "gu")) ?? [""];
      lines.push(...pieces);
    }
  }
  return lines.slice(1);
}
