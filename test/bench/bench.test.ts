import { describe, expect, test } from "vitest";
import { resultOf, SIZES } from "../../bench/cost/results.ts";
import { sizeOf, writeUnits } from "../../bench/cost/size.ts";
import type { Child } from "../../bench/measure/child.ts";
import { prime } from "../../bench/measure/warm.ts";
import { page } from "../../bench/page/table.ts";
import { HOW } from "../../bench/page/words.ts";
import { quantile, ratios } from "../../bench/stats.ts";
import { answer } from "../../bench/subjects/records.ts";

describe("the arithmetic of the benchmarks", () => {
  test("a quantile is one of the values", () => {
    expect(quantile([30, 10, 20], 0.5)).toBe(20);
    expect(quantile([30, 10, 20, 40, 50], 0.25)).toBe(20);
  });

  test("ratios pair what was measured in the same round", () => {
    expect(ratios([10, 30], [5, 10])).toEqual([2, 3]);
  });

  test("an item is as large as DynamoDB says: names, values, two digits to a byte", () => {
    expect(sizeOf({ id: { S: "é" } })).toBe(4);
    expect(sizeOf({ n: { N: "1795000000000" } })).toBe(1 + 2 + 1);
    expect(sizeOf({ m: { M: { a: { BOOL: true } } } })).toBe(1 + 3 + 1 + 2);
  });

  test("a write takes one unit for each kB begun, and one where nothing stands", () => {
    expect([0, 1, 1_024, 1_025].map(writeUnits)).toEqual([1, 1, 1, 2]);
  });
});

describe("what is measured", () => {
  test("results are of the size that they are said to have, the same in every run", () => {
    for (const kind of ["order", "noise"] as const) {
      for (const size of SIZES) {
        const text = JSON.stringify(resultOf(kind, size));
        expect(Math.abs(text.length - size)).toBeLessThanOrEqual(size / 100);
        expect(JSON.stringify(resultOf(kind, size))).toBe(text);
      }
    }
  });

  test("the stand-in for DynamoDB answers a put on a table of replays with the record under that id", () => {
    const body = '{"TableName":"ours.replay.200","Item":{"id":{"S":"place-order#x"}}}';
    const { status, body: text } = answer("DynamoDB_20120810.PutItem", body);
    expect(status).toBe(400);
    expect(JSON.parse(text).Item).toMatchObject({ id: { S: "place-order#x" }, status: { S: "COMPLETED" } });
  });

  test("the stand-in for DynamoDB takes whatever is written where nothing stands", () => {
    const body = '{"TableName":"peer.first.200","Item":{"id":{"S":"place-order#x"}}}';
    expect(answer("DynamoDB_20120810.PutItem", body)).toEqual({ status: 200, body: "{}" });
  });
});

test("a page's text is broken into lines, its tables are not", () => {
  const long = "word ".repeat(40).trim();
  const [text, list, table] = page([long, `- ${long}`, `| ${long} |`])
    .trimEnd()
    .split("\n\n");
  expect(text?.split("\n").every((line) => line.length <= 130)).toBe(true);
  expect(list?.split("\n")[1]).toMatch(/^ {2}word/);
  expect(table).toBe(`| ${long} |`);
});

test("all processes of the warm tables have had as many calls as the page says, the floors, too", async () => {
  const calls = { light: 0, bare: 0 };
  const child = (name: keyof typeof calls): Child => ({
    async run(batch) {
      calls[name] += batch.calls;
      return { cpu: 1, elapsed: 1 };
    },
    end() {},
  });
  await prime({ libraries: { light: child("light") }, floors: { bare: child("bare") } }, false);
  const said = Number(/after ([\d,]+) calls of each process/.exec(HOW)?.[1]?.replace(",", ""));
  expect(calls).toStrictEqual({ light: said, bare: said });
});
