import { createServer as createHttpServer } from "node:http";
import http2, { constants, createServer } from "node:http2";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { describe, expect, it } from "vitest";
import { idempotentFetch } from "../../src/client.ts";
import { outcomeIsUnknown } from "../../src/core/unknown.ts";
import { currentClaim, idempotent } from "../../src/index.ts";
import { lambdaContext, testingStore } from "../../src/testing.ts";
import { MIDDIES, post } from "./middies.ts";

// Each of these was seen by a reviewer: the key was given back, and the function ran again at once.

/** What stripe-node 23.1.0 throws where its request timed out or its connection broke: the cause is at `detail`. */
const stripeTimedOut = () =>
  Object.assign(new Error("Request aborted due to timeout being reached (500ms)"), {
    type: "StripeConnectionError",
    detail: Object.assign(new TypeError("timeout"), { code: "ETIMEDOUT" }),
  });

describe("an unknown outcome", () => {
  it("of stripe-node keeps the key", async () => {
    let charges = 0;
    const charge = idempotent(
      async (_: string): Promise<number> => {
        charges++;
        throw stripeTimedOut();
      },
      { store: testingStore(), operation: "charge" },
    );
    await charge("o-1").catch(() => undefined);
    await charge("o-1").catch(() => undefined);
    expect(charges).toBe(1);
  });

  it("of stripe-node keeps the start mark of a step that is to begin once", async () => {
    let charges = 0;
    const store = testingStore();
    const charge = idempotent(
      async (_: string) =>
        currentClaim().step(
          "charge",
          (): number => {
            charges++;
            throw stripeTimedOut();
          },
          { once: true },
        ),
      { store, operation: "charge" },
    );
    await charge("o-1").catch(() => undefined);
    store.advance({ hours: 1 });
    await charge("o-1").catch(() => undefined);
    expect(charges).toBe(1);
  });

  it("of a connection of HTTP/2 keeps the key", async () => {
    let charges = 0;
    const server = createServer().on("sessionError", () => undefined);
    server.on("stream", (stream) => {
      stream.on("error", () => undefined);
      stream.session?.on("error", () => undefined);
      stream.resume().on("end", () => {
        charges++;
        stream.session?.destroy(new Error("going away"), constants.NGHTTP2_INTERNAL_ERROR);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, resolve));
    const charge = idempotent(
      (_: string) =>
        new Promise<string>((resolve, reject) => {
          const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
          client.on("error", () => undefined);
          const request = client.request({ ":method": "POST", ":path": "/charges" });
          request
            .on("response", () => resolve("charged"))
            .on("error", reject)
            .end("{}");
        }),
      { store: testingStore(), operation: "charge" },
    );
    await charge("o-1").catch(() => undefined);
    await charge("o-1").catch(() => undefined);
    server.close();
    expect(charges).toBe(1);
  });

  it.each(MIDDIES)(
    "of a handler of %s whose onError hook throws an error of its own keeps the key",
    async (_, middy) => {
      let running = 0;
      let most = 0;
      const inner = middy(
        async () => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setTimeout(resolve, 600));
          running--;
          return { statusCode: 201 };
        },
        { timeoutEarlyInMillis: 2_800 },
      ).onError(() => {
        throw new Error("rendered for the caller"); // Middy puts its TimeoutError at `originalError`
      });
      const call = idempotent((event: ReturnType<typeof post>, context: unknown) => inner(event, context), {
        store: testingStore(),
        operation: "orders",
        key: "body",
      });
      await call(post("k"), lambdaContext({ remaining: { seconds: 3 } })).catch(() => undefined);
      await call(post("k"), lambdaContext({ remaining: { seconds: 3 } })).catch(() => undefined);
      expect(most).toBe(1);
    },
  );
});

describe("of idempotentFetch()", () => {
  it("a timeout holds the key", async () => {
    const store = testingStore();
    const attempts: number[] = [];
    const send = idempotentFetch({ fetch: () => new Promise<Response>(() => {}), deadline: 40 });
    const charge = idempotent(
      async (_order: { id: string }) => {
        attempts.push(currentClaim().attempt);
        return (await send("https://provider.example/charges", { method: "POST" })).status;
      },
      { store, operation: "charge", key: "id" },
    );
    await expect(charge({ id: "o-1" })).rejects.toMatchObject({ name: "IdempotentFetchError" });
    expect(store.records()).toMatchObject([{ status: "IN_PROGRESS" }]);
    await expect(charge({ id: "o-1" })).rejects.toMatchObject({ code: "in_progress" });
    expect(attempts).toStrictEqual([1]);
  });

  it("a timeout that a refused connection has followed holds the key", async () => {
    const store = testingStore();
    let sent = 0;
    const fetch = () => {
      if (++sent === 1) return new Promise<Response>(() => {});
      const cause = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED", syscall: "connect" });
      return Promise.reject(new TypeError("fetch failed", { cause }));
    };
    const send = idempotentFetch({ fetch, timeout: 20, backoff: 1, attempts: 3 });
    const charge = idempotent(
      async (_order: { id: string }) => (await send("https://provider.example/charges", { method: "POST" })).status,
      { store, operation: "charge", key: "id" },
    );
    await expect(charge({ id: "o-1" })).rejects.toMatchObject({ name: "IdempotentFetchError" });
    expect(store.records()).toMatchObject([{ status: "IN_PROGRESS" }]);
  });
});

describe("a business error that cannot be read", () => {
  it.each<[string, () => object]>([
    [
      "a getter that throws",
      () =>
        Object.defineProperty(new Error("declined"), "cause", {
          get: () => {
            throw new TypeError("not yet");
          },
        }),
    ],
    [
      "nothing that can be read",
      () => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      },
    ],
  ])("with %s is what the caller sees", async (_, make) => {
    const error = make();
    const call = idempotent(
      async (_: string): Promise<number> => {
        throw error;
      },
      { store: testingStore(), operation: "x" },
    );
    const seen = await call("1").then(
      () => undefined,
      (thrown: unknown) => ({ thrown }),
    );
    expect(seen?.thrown === error).toBe(true);
  });
});

async function closedPort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// Seen by a reviewer: the mends of the above held keys where nothing had been sent.
describe("what is known", () => {
  it("is that a refused connection of HTTP/2 has carried nothing", async () => {
    const port = await closedPort();
    const store = testingStore();
    const call = idempotent(
      (_: string) =>
        new Promise<string>((resolve, reject) => {
          const client = http2.connect(`http://127.0.0.1:${port}`);
          client.on("error", () => undefined);
          const request = client.request({ ":method": "POST", ":path": "/" });
          request
            .on("response", () => resolve("x"))
            .on("error", reject)
            .end("{}");
        }),
      { store, operation: "charge" },
    );
    await call("1").catch(() => undefined);
    expect(store.records()).toStrictEqual([]);
  });

  it("is a business error, however long the chain of its causes", async () => {
    const store = testingStore();
    const call = idempotent(
      async (_: string): Promise<number> => {
        let error = new Error("declined");
        for (let at = 0; at < 5_000; at++) error = new Error("again", { cause: error });
        throw error;
      },
      { store, operation: "x" },
    );
    await expect(call("1")).rejects.toThrow("again");
    expect(store.records()).toStrictEqual([]);
  });
});

it.each<[string, () => Error]>([
  [
    "ten thousand errors",
    () => {
      const lost = () =>
        new TypeError("fetch failed", { cause: Object.assign(new Error(), { code: "UND_ERR_SOCKET" }) });
      return new AggregateError(Array.from({ length: 10_000 }, lost));
    },
  ],
  [
    "causes without end",
    () => {
      // No error by class: each would have a stack, and 200,000 of them take seconds.
      const endless = Object.create(null, { cause: { get: () => Object.create(endless) } }) as object;
      return Object.create(endless);
    },
  ],
])("is what nobody can read to its end: %s", (_, make) => {
  expect(outcomeIsUnknown(make())).toBe(true);
});

// Seen by a reviewer: the order was carried out, and the page that its answer leads to had no connection.
it("is that of idempotentFetch() where a redirect led nowhere", async () => {
  const port = await closedPort();
  let carriedOut = 0;
  const server = createHttpServer((request, response) => {
    request.resume().on("end", () => {
      carriedOut++;
      response.writeHead(303, { Location: `http://127.0.0.1:${port}/receipts/1` }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const store = testingStore();
  const post = idempotentFetch({ attempts: 1 });
  const call = idempotent(async (_: string) => (await post(url, { method: "POST", body: "{}" })).status, {
    store,
    operation: "charge",
  });
  await expect(call("1")).rejects.toMatchObject({ name: "IdempotentFetchError" });
  await new Promise((resolve) => server.close(resolve));
  expect([carriedOut, store.records()]).toMatchObject([1, [{ status: "IN_PROGRESS" }]]);
});

it("is not that of an import with very many errors", () => {
  const errors = Array.from({ length: 20_000 }, (_, row) => ({ row, message: "not a number" }));
  expect(outcomeIsUnknown(Object.assign(new Error("invalid import"), { errors }))).toBe(false);
});
