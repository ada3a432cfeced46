import { readFileSync } from "node:fs";
import { toMermaid } from "lambda-once/writes";
import { expect, it } from "vitest";

process.env["AWS_REGION"] ??= "eu-central-1";
const { machine } = await import("../../../infra/demo/order.ts");

it("the order's states are drawn in the guide as the example has them", () => {
  const guide = readFileSync(new URL("../../../docs/writes.md", import.meta.url), "utf8");
  expect(guide).toContain(`\`\`\`mermaid\n${toMermaid(machine).trimEnd()}\n\`\`\``);
});
