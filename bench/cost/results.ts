/** What results are made of: the lines of an order, as JSON compresses, or text that nothing compresses much. */
export const KINDS = { order: "order lines", noise: "random text" } as const;

export type Kind = keyof typeof KINDS;

/** The sizes of results as JSON, in bytes. */
export const SIZES = [200, 1_000, 5_000, 50_000] as const;

const WORDS = "lamp desk chair oak steel red blue green large small round soft cotton glass paper garden kitchen".split(
  " ",
);

/** Numbers from 0 to 1, the same ones in every run. */
function sequence(): () => number {
  let state = 0x2545f491;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A result of so many bytes as JSON, within a hundredth; the same in every run. */
export function resultOf(kind: Kind, bytes: number): unknown {
  const next = sequence();
  if (kind === "noise") {
    return Array.from({ length: bytes - 2 }, () =>
      String.fromCharCode(48 + Math.floor(next() * 64)).replace("\\", "-"),
    ).join("");
  }
  const word = (): string => WORDS[Math.floor(next() * WORDS.length)] as string;
  const lines: object[] = [];
  const order = { orderId: "o-1", lines, note: "" };
  while (JSON.stringify(order).length < bytes - 90) {
    const sku = Math.floor(next() * 1e9).toString(36);
    lines.push({
      sku,
      title: `${word()} ${word()} ${word()}`,
      amount: Math.ceil(next() * 9),
      price: Math.round(next() * 1e4) / 100,
    });
  }
  return { ...order, note: "n".repeat(Math.max(0, bytes - JSON.stringify(order).length)) };
}
