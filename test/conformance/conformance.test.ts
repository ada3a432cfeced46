import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Listening } from "../../infra/local/listen.ts";
import { type HttpEvent, http } from "../../src/http.ts";
import { idempotent, memoryStore } from "../../src/index.ts";
import type { Target } from "./exchange.ts";
import { RULES } from "./rules.ts";
import { serve } from "./server.ts";
import { checkAll, conforms, tableOf } from "./suite.ts";

let orders = 0;
const place = async (_event: HttpEvent) => {
  const id = ++orders;
  await pause(20);
  return { statusCode: 201, headers: { "content-type": "application/json" }, body: `{"order":${id}}` };
};

const targetOf = ({ url }: Listening): Target => ({
  url: `${url}/orders`,
  method: "POST",
  headers: {},
  body: '{"sku":"a","count":1}',
  otherBody: '{"sku":"b","count":1}',
});

describe("an endpoint behind http()", () => {
  let server: Listening;
  beforeAll(async () => {
    const options = { store: memoryStore(), operation: "orders", binding: http({ principal: false }) };
    server = await serve(idempotent(place, options));
  });
  afterAll(() => server.close());

  it.each(RULES)("keeps $section of the IETF draft ($level): $sentence", async ({ check }) => {
    await check(targetOf(server));
  });

  it("conforms by the command that others run", async () => {
    const { code, output } = await run(server.url);
    expect(output).toContain(`${RULES.length} of ${RULES.length} rules kept`);
    expect(code).toBe(0);
  });
});

describe("the suite", () => {
  it("finds every rule broken that a handler without any protection breaks", async () => {
    const server = await serve(place);
    try {
      const verdicts = await checkAll(targetOf(server));
      const kept = verdicts.filter(({ fault }) => fault === undefined).map(({ rule }) => rule.sentence);
      expect(kept).toStrictEqual([
        "the key is a structured string in quotes",
        // It refuses nothing.
        "a request that was refused fails again (400, 409 or 422) where its client has not corrected it",
        "a first request is processed normally, also where its payload has been seen under another key",
      ]);
      expect(conforms(verdicts)).toBe(false);
      expect(tableOf(verdicts)).toContain("FAIL  2.7    SHOULD  a missing key is refused 400");
      expect((await run(server.url)).code).toBe(1);
    } finally {
      await server.close();
    }
  });

  it("finds an endpoint that carries out at the second try what it has refused at the first", async () => {
    let refusals = 0;
    const server = await serve(async (event) => {
      const isRefused = event.headers?.["idempotency-key"] === undefined && refusals++ % 2 === 0;
      return isRefused ? { statusCode: 400 } : place(event);
    });
    try {
      const rule = RULES.find(({ level, section }) => level === "MUST" && section === "2.7");
      await expect(rule?.check(targetOf(server))).rejects.toThrow("answered 201");
    } finally {
      await server.close();
    }
  });

  it.each([
    [],
    ["no URL"],
    ["ftp://example.com"],
    ["http://a", "http://b"],
    ["http://a", "--body", "{"],
    ["http://a", "--what"],
  ])("refuses the arguments %j %j %j", async (...args) => {
    const { code, output } = await run(...args.filter((arg) => arg !== undefined));
    expect([code, output]).toStrictEqual([2, expect.stringContaining("npm run conformance")]);
  });
});

/** Runs the command, as `npm run conformance` does. */
function run(...args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const script = new URL("run.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, ["--import", "tsx", script, ...args]);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += String(chunk)));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, output })));
}
