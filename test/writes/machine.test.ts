import { readFileSync } from "node:fs";
import { fc, test } from "@fast-check/vitest";
import { table, toMermaid, transition } from "lambda-once/writes";
import { describe, expect, it } from "vitest";
import { machine, type Order } from "./kit.ts";

const orders = table<Order>()({ name: "orders", key: ["id"], state: "status" });
const move = (options: object) =>
  transition({ table: orders, key: { id: "1" }, from: "created", to: "paid", machine, ...options } as never);

describe("toMermaid()", () => {
  it("draws the machine of the guide", () => {
    const guide = readFileSync(new URL("../../docs/writes.md", import.meta.url), "utf8");
    const states = Object.entries(machine).map(
      ([from, to]) => `  ${from}: ${JSON.stringify(to).replace(",", ", ")},\n`,
    );
    expect(guide).toContain(`const machine = {\n${states.join("")}} as const;`);
    expect(guide).toContain(`\`\`\`mermaid\n${toMermaid(machine)}\n\`\`\``);
  });

  it("enters where nothing leads to, and leaves where nothing follows", () => {
    expect(toMermaid({ a: ["b"], b: ["b", "c"], c: [] })).toBe(
      ["stateDiagram-v2", "[*] --> a", "a --> b", "b --> b", "b --> c", "c --> [*]"].join("\n    "),
    );
    expect(toMermaid({ on: ["off"], off: ["on"] })).toBe(
      ["stateDiagram-v2", "[*] --> on", "on --> off", "off --> on"].join("\n    "),
    );
  });

  it("gives names that are none in Mermaid an alias", () => {
    const drawn = toMermaid({ "in review": ["end"], end: ['a "b"\n#;c'], 'a "b"\n#;c': [] });
    expect(drawn.split("\n").map((line) => line.trim())).toStrictEqual([
      "stateDiagram-v2",
      'state "in review" as state0',
      'state "end" as state1',
      'state "a_b_c" as state2',
      "[*] --> state0",
      "state0 --> state1",
      "state1 --> state2",
      "state2 --> [*]",
    ]);
  });
});

describe("a machine", () => {
  it.each([
    [{ machine: {} }, "machine is without states"],
    [{ machine: undefined }, "machine is undefined"],
    [{ machine: [["created", "paid"]] }, "machine is an array"],
    [{ machine: new Map() }, "machine is an instance of Map"],
    [{ machine: { created: "paid", paid: [] } }, "machine.created is a string"],
    [{ machine: { created: ["payed"], paid: [] } }, "machine.created[0] is 'payed'; allowed is 'created', 'paid'"],
    [{ machine: { created: [undefined] } }, "machine.created[0] is undefined"],
    [{ machine: { created: ["paid", "paid"], paid: [] } }, "machine.created[1] is 'paid' again"],
    [{ machine: { "": [] } }, "machine is one with a state without a name"],
  ])("is refused where it is none: %j", (options, message) => {
    expect(() => move(options)).toThrow(`transition(): ${message}`);
    const attempt = () => toMermaid(options.machine as never);
    expect(attempt).toThrow(`toMermaid(): ${message}`);
  });

  it.each([
    [{ to: "shipped" }, "to is 'shipped' from 'created'; allowed is 'paid', 'cancelled'"],
    [{ from: "shipped", to: "paid" }, "to is 'paid' from 'shipped'; allowed is no state"],
    [{ from: ["created", "paid"], to: "cancelled" }, "to is 'cancelled' from 'paid'; allowed is 'shipped'"],
    [{ from: [] }, "from is an empty list"],
    [{ from: "new" }, "from is 'new'"],
    [{ from: undefined }, "from is undefined"],
    [{ from: "constructor" }, "from is 'constructor'"],
    [{ to: "toString" }, "to is 'toString'"],
    [{ to: undefined }, "to is undefined"],
  ])("refuses the move %j", (options, message) => {
    expect(() => move(options)).toThrow(`transition(): ${message}`);
  });

  const names = fc.uniqueArray(
    fc.string({ minLength: 1, maxLength: 8 }).filter((name) => name !== "__proto__"),
    {
      minLength: 1,
      maxLength: 6,
    },
  );
  const machines = names.chain((states) =>
    fc
      .tuple(...states.map(() => fc.subarray(states)))
      .map((targets) => Object.fromEntries(states.map((state, at) => [state, targets[at] as string[]]))),
  );
  test.prop([machines])("allows exactly the moves that are drawn", (made) => {
    const states = Object.keys(made);
    const drawn = toMermaid(made)
      .split("\n")
      .filter((line) => /^ {4}\w+ --> \w+$/.test(line));
    const allowed = states.flatMap((from) =>
      states.filter((to) => {
        try {
          transition({ table: orders, key: { id: "1" }, from, to, machine: made } as never);
          return true;
        } catch {
          return false;
        }
      }),
    );
    expect(allowed).toHaveLength(drawn.length);
  });
});
