/** A table in Markdown. */
export const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/** A ratio, as it is read: one decimal above 10, two below. */
export const ratio = (value: number | undefined): string =>
  value === undefined || Number.isNaN(value) ? "-" : value.toFixed(value < 10 ? 2 : 1);

/** A size in words. */
export const bytes = (count: number): string => (count < 1_000 ? `${count} B` : `${count / 1_000} kB`);

/** A page of these paragraphs, its text broken into lines as the other documents are; tables and headings stay. */
export const page = (paragraphs: readonly string[]): string =>
  `${paragraphs.map((text) => text.split("\n").map(wrapped).join("\n")).join("\n\n")}\n`;

const WIDTH = 130;

function wrapped(line: string): string {
  if (/^[|#]/.test(line)) return line;
  const indent = line.startsWith("- ") ? "  " : "";
  const lines: string[] = [];
  let last = "";
  for (const word of line.split(" ")) {
    if (last !== "" && last.length + 1 + word.length > WIDTH) {
      lines.push(last);
      last = indent + word;
    } else last = last === "" ? word : `${last} ${word}`;
  }
  return [...lines, last].join("\n");
}
