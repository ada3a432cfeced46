import { createContext, runInContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, it } from "vitest";

async function bundle(format: "esm" | "iife"): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: ["src/client.ts"],
    bundle: true,
    minify: true,
    write: false,
    format,
    globalName: "client",
    platform: "browser",
  });
  return outputFiles[0]?.text ?? "";
}

it("is under 2 kB gzip and imports nothing", async () => {
  const code = await bundle("esm");
  expect(gzipSync(code, { level: 9 }).length).toBeLessThan(2_000);
  expect(code).not.toMatch(/\b(import|require)\b/);
});

it("runs with nothing but what a page has, and sends no header there that CORS was not told of", async () => {
  const { AbortController, AbortSignal, crypto, Headers, performance, Request, Response, setTimeout, clearTimeout } =
    globalThis;
  const sent: string[][] = [];
  const fetch = async (_: unknown, { headers }: { headers: Headers }) => {
    sent.push([...headers.keys()]);
    return new Response(null, { status: sent.length < 3 ? 503 : 201 });
  };
  const page = createContext({
    ...{ AbortController, AbortSignal, crypto, Headers, performance, Request, Response, setTimeout, clearTimeout },
    ...{ fetch, location: { href: "https://shop.example/" } },
  });
  const run = `${await bundle("iife")}; client.idempotentFetch({ backoff: 1 })("/orders", { method: "POST" })`;
  expect(await runInContext(run, page)).toMatchObject({ status: 201, attempts: 3 });
  expect(sent).toStrictEqual(Array(3).fill(["idempotency-key"]));
});
