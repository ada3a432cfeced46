import { describe, expect, expectTypeOf, it } from "vitest";
import { type Fetch, type IdempotentFetchOptions, idempotentFetch } from "../../src/client.ts";
import { client, fault, ok, POST, URL_OF_ORDERS } from "./kit.ts";

describe("idempotentFetch(): the call as it was", () => {
  // seen by a reviewer: a URL was kept as it is, and with it every later change
  it("has the URL of its time, at each attempt and for the key function", async () => {
    const url = new URL("https://api.example.com/orders/1");
    const seen: unknown[] = [];
    const { call, sent } = client([fault(), ok()], {
      key: (input) => {
        seen.push(input);
        return "o-1";
      },
      onRetry: () => {
        url.pathname = "/orders/3";
      },
    });
    const first = call(url, POST);
    url.pathname = "/orders/2";
    const second = call(url, POST);
    await Promise.all([first, second]);
    const [one, two] = ["https://api.example.com/orders/1", "https://api.example.com/orders/2"];
    expect(seen).toStrictEqual([one, two]);
    expect(sent.map(({ input }) => `${input}`).sort()).toStrictEqual([one, one, two]);
  });

  it("keeps its URL over repetitions", async () => {
    const url = new URL("https://api.example.com/orders/1");
    const onRetry = () => {
      url.pathname = "/orders/2";
    };
    const { call, sent } = client([fault(), ok()], { onRetry });
    await call(url, POST);
    expect(sent.map(({ input }) => `${input}`)).toStrictEqual(Array(2).fill("https://api.example.com/orders/1"));
  });

  // seen by a reviewer: the key function was asked after the body was read, and saw the caller's next body
  it("has the key of its own init, and its method, headers and body at each attempt", async () => {
    const headers = new Headers({ "X-Tenant": "a" });
    const init = { method: "POST", headers, body: new URLSearchParams("order=1") };
    const { call, sent, keys } = client([fault(), ok()], {
      key: async (_, given) => `key-${given?.body}`,
      onRetry: () => headers.set("X-Tenant", "c"),
    });
    const answer = call(URL_OF_ORDERS, init);
    init.body.set("order", "2");
    headers.set("X-Tenant", "b");
    init.body = new URLSearchParams("order=3");
    await answer;
    expect(keys()).toStrictEqual(["key-order=1", "key-order=1"]);
    expect(sent.map((one) => one.headers.get("x-tenant"))).toStrictEqual(["a", "a"]);
    const bodies = sent.map(({ body }) => new TextDecoder().decode(body as ArrayBuffer));
    expect(bodies).toStrictEqual(["order=1", "order=1"]);
  });

  it("sends a Request as it is, another package's too", async () => {
    const foreign = { url: URL_OF_ORDERS, method: "POST", headers: { "x-tenant": "a" }, body: null } as unknown;
    const { call, sent } = client([ok()]);
    await call(foreign as Request);
    expect(sent[0]?.input).toBe(foreign);
    expect(sent[0]?.headers.get("x-tenant")).toBe("a");
  });

  it("takes the body of a Request at once, as fetch does: used a second time it is refused", async () => {
    const { call, sent } = client([ok()], { key: async () => "o-1" });
    const request = new Request(URL_OF_ORDERS, POST);
    const first = call(request);
    expect(request.bodyUsed).toBe(true);
    await expect(call(request)).rejects.toThrow(TypeError);
    await first;
    expect(sent.map(({ input }) => input)).toStrictEqual([request]);
  });
});

describe("idempotentFetch(): the body", () => {
  it("is the same bytes at each attempt, whatever the caller does to it meanwhile", async () => {
    const form = new FormData();
    form.set("file", new Blob(["abc"]), "a.txt");
    const blob = new Blob(["abc"], { type: "text/x" });
    for (const body of [form, new TextEncoder().encode("abc"), new URLSearchParams("a=1"), blob]) {
      const { call, sent } = client([fault(), fault(), ok()]);
      const answer = call(URL_OF_ORDERS, { method: "POST", body });
      if (body instanceof Uint8Array) body.fill(0);
      if (body instanceof URLSearchParams) body.set("a", "2");
      if (body instanceof FormData) body.delete("file");
      await answer;
      const texts = sent.map(({ body }) => new TextDecoder().decode(body as ArrayBuffer));
      expect(texts).toStrictEqual(Array(3).fill(texts[0]));
      expect(texts[0]).toMatch(/abc|a=1/);
      expect(new Set(sent.map(({ headers }) => headers.get("content-type"))).size).toBe(1);
      if (body === form) expect(texts[0]).toContain(sent[0]?.headers.get("content-type")?.split("boundary=")[1]);
    }
  });

  it("of a Request is read into memory", async () => {
    const { call, sent } = client([fault(), ok()]);
    await call(new Request(URL_OF_ORDERS, { ...POST, headers: { "content-type": "application/json" } }));
    expect(sent.map(({ body }) => new TextDecoder().decode(body as ArrayBuffer))).toStrictEqual([POST.body, POST.body]);
    expect(sent[1]?.headers.get("content-type")).toBe("application/json");
  });

  it("is refused before anything is sent where it is a stream", async () => {
    const { call, sent } = client([ok()]);
    const iterable = (async function* () {
      yield new Uint8Array(1);
    })();
    for (const body of [new Blob(["a"]).stream(), iterable as unknown as ReadableStream]) {
      const refused = call(URL_OF_ORDERS, { method: "POST", body, duplex: "half" });
      await expect(refused).rejects.toThrow("body is a stream; allowed is any other");
    }
    expect(sent).toHaveLength(0);
  });
});

describe("idempotentFetch(): options", () => {
  it.each<readonly [options: object, message: string]>([
    [{ retries: 3 }, "an option is retries; allowed is key, header, retryHeader, deadline,"],
    [{ key: "a b" }, "key is string; allowed is 1 to 255 visible ASCII characters, or a function"],
    [{ header: "a b" }, "header is a b; allowed is a header's name"],
    [{ retryHeader: true }, "retryHeader is true; allowed is a header's name or false"],
    [{ attempts: 0 }, "attempts is 0; allowed is a whole number above 0"],
    [{ attempts: 1.5 }, "attempts is 1.5;"],
    [{ attempts: Number.POSITIVE_INFINITY }, "attempts is Infinity;"],
    [{ body: "all" }, "body is all; allowed is 'stream' or 'whole'"],
    [{ fetch: "fetch" }, "fetch is fetch; allowed is a function"],
    [{ deadline: null }, "deadline is null; allowed is ms or { days, hours, minutes, seconds }"],
    [{ deadline: () => 1 }, "deadline is function;"],
    ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, "1h", {}, { weeks: 1 }, { seconds: -1 }].flatMap(
      (given) =>
        ["deadline", "timeout", "backoff", "maxBackoff"].map((name) => [{ [name]: given }, `${name} is `] as const),
    ),
  ])("%j is refused", (options, message) => {
    const make = () => idempotentFetch(options as IdempotentFetchOptions);
    expect(make).toThrow(TypeError);
    expect(make).toThrow(`idempotentFetch: ${message}`);
  });

  it("that are undefined have their defaults", () => {
    expect(() => idempotentFetch({ key: undefined, deadline: undefined } as object)).not.toThrow();
    expect(() => idempotentFetch({ deadline: 0.5, timeout: { minutes: 1, seconds: 30 } })).not.toThrow();
  });

  it("make a fetch, to be used wherever one is taken", () => {
    expectTypeOf(idempotentFetch()).toExtend<typeof fetch>();
    expectTypeOf(idempotentFetch()).toExtend<Fetch>();
  });
});
