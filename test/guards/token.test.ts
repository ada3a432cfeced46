import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EpochSeconds } from "../../src/core/time.ts";
import { newToken } from "../../src/guards/token.ts";
import { type IssueTokenOptions, issueToken, token } from "../../src/guards.ts";
import { isIdempotencyError, memoryStore } from "../../src/index.ts";
import { canonicalJson } from "../../src/key/canonical.ts";
import { testingStore } from "../../src/testing.ts";
import { LIFETIME, SECRETS, secret } from "./token-kit.ts";

const ANN = { operation: "place-order", principal: canonicalJson("ann") };
const UNTIL = 1_800_000_000 as EpochSeconds;
const made = (facts: typeof ANN | { operation: string; principal: string | undefined } = ANN, until = UNTIL) =>
  newToken(until, facts, SECRETS[0]);
const { redeem } = token({ secrets: SECRETS });

/** What a token is refused with. */
function refusal(given: string, facts: { operation: string; principal: string | undefined } = ANN): unknown {
  try {
    return { redeemed: redeem(given, facts) };
  } catch (error) {
    return isIdempotencyError(error) && { ...error, message: error.message };
  }
}
const foreign = refusal("");

describe("a token", () => {
  it("holds its key and its end, for the operation and the principal that it was made for", () => {
    const { token: oneTime, key } = made();
    expect(redeem(oneTime, ANN)).toStrictEqual({ key, until: UNTIL });
  });

  it("is URL-safe, opaque, with 192 bits of chance, and never the same twice", () => {
    const all = Array.from({ length: 500 }, () => made().token);
    for (const one of all) expect(one).toMatch(/^[A-Za-z0-9_-]{83}$/);
    expect(new Set(all.map((one) => one.slice(0, 32))).size).toBe(500);
    expect(Buffer.from(made().key, "base64url")).toHaveLength(24);
    // A name that chance does not make: of three letters it does, once in some hundred runs.
    const { token: hers } = made({ operation: "place-order", principal: canonicalJson("ann.lovelace") });
    expect(Buffer.from(hers, "base64url").toString("latin1")).not.toContain("ann.lovelace");
  });

  it("that ends in the year 9999 says so", () => {
    const until = 253_402_300_799 as EpochSeconds;
    expect(redeem(made(ANN, until).token, ANN).until).toBe(until);
  });

  it("is refused with 403, and the same words whatever is wrong with it", () => {
    expect(foreign).toMatchObject({ code: "token_invalid", statusCode: 403, reason: "foreign" });
    const { token: oneTime } = made();
    const wrong = [
      ["x", ANN],
      [oneTime.slice(1), ANN],
      [`${oneTime}A`, ANN],
      [`${oneTime}\n`, ANN],
      [` ${oneTime}`, ANN],
      [`${oneTime}=`, ANN],
      [oneTime.toUpperCase(), ANN],
      [oneTime, { ...ANN, principal: canonicalJson("bob") }],
      [oneTime, { ...ANN, principal: undefined }],
      [oneTime, { ...ANN, operation: "cancel-order" }],
      [newToken(UNTIL, ANN, secret()).token, ANN],
    ] as const;
    for (const [given, facts] of wrong) expect(refusal(given, facts)).toStrictEqual(foreign);
  });

  it("is refused with any one character changed, the last ones of each part too, which base64url does not need", () => {
    const { token: oneTime } = made();
    const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/= ";
    for (const at of oneTime.split("").keys()) {
      for (const other of characters) {
        if (other === oneTime[at]) continue;
        expect(refusal(oneTime.slice(0, at) + other + oneTime.slice(at + 1))).toStrictEqual(foreign);
      }
    }
  });

  it("is refused however it is changed (property)", () => {
    const { token: oneTime } = made();
    const mutated = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.stringMatching(/^[\w-]{83}$/),
      fc.tuple(fc.nat(82), fc.nat(82)).map(([one, other]) => {
        const letters = oneTime.split("");
        [letters[one], letters[other]] = [letters[other] as string, letters[one] as string];
        return letters.join("");
      }),
      fc.tuple(fc.nat(83), fc.nat(83)).map(([from, to]) => oneTime.slice(Math.min(from, to), Math.max(from, to))),
      fc
        .tuple(fc.nat(83), fc.string({ minLength: 1 }))
        .map(([at, more]) => oneTime.slice(0, at) + more + oneTime.slice(at)),
    );
    fc.assert(
      fc.property(mutated, (given) => {
        fc.pre(given !== oneTime);
        expect(refusal(given)).toStrictEqual(foreign);
      }),
    );
  });

  it("of one token and the end of another is no token", () => {
    const [early, late] = [made(), made(ANN, (UNTIL + 3600) as EpochSeconds)];
    const prolonged = early.token.slice(0, 32) + late.token.slice(32, 40) + early.token.slice(40);
    expect(refusal(prolonged)).toStrictEqual(foreign);
    expect(refusal(late.token.slice(0, 32) + early.token.slice(32))).toStrictEqual(foreign);
  });

  it("of one operation and principal is none of another, wherever one name ends and the next begins (property)", () => {
    const name = fc.stringMatching(/^[!-~]{1,6}$/);
    const facts = fc.record({ operation: name, principal: fc.option(name.map(canonicalJson), { nil: undefined }) });
    fc.assert(
      fc.property(facts, facts, (one, other) => {
        fc.pre(one.operation !== other.operation || one.principal !== other.principal);
        const { token: oneTime } = made(one);
        expect(redeem(oneTime, one).until).toBe(UNTIL);
        expect(refusal(oneTime, other)).toStrictEqual(foreign);
      }),
    );
    const numbered = made({ operation: "a1", principal: "2" }).token;
    expect(refusal(numbered, { operation: "a", principal: "12" })).toStrictEqual(foreign);
    const shifted = made({ operation: "a", principal: '"b"' }).token;
    expect(refusal(shifted, { operation: 'a"b"', principal: undefined })).toStrictEqual(foreign);
    expect(refusal(shifted, { operation: 'a3:"b"', principal: undefined })).toStrictEqual(foreign);
    expect(
      refusal(made({ operation: "a", principal: undefined }).token, { operation: "a", principal: "-" }),
    ).toStrictEqual(foreign);
  });

  it("is good under every secret of the list, and under none that has left it", () => {
    const [old, current, next] = [secret(), secret(), secret()];
    const { token: oneTime, key } = newToken(UNTIL, ANN, old);
    expect(token({ secrets: [current, old] }).redeem(oneTime, ANN)).toStrictEqual({ key, until: UNTIL });
    expect(token({ secrets: [next, current, old] }).redeem(oneTime, ANN).key).toBe(key);
    expect(() => token({ secrets: [next, current] }).redeem(oneTime, ANN)).toThrow("the token is not valid for this");
  });
});

describe("issueToken()", () => {
  const options = (more: object = {}): IssueTokenOptions =>
    ({
      store: memoryStore(),
      operation: "place-order",
      principal: "ann",
      expiresAfter: LIFETIME,
      secrets: SECRETS,
      ...more,
    }) as never;

  it("stores a hash and an end, and nothing of the token or of whose it is", async () => {
    const store = memoryStore();
    const oneTime = await issueToken(options({ store }));
    const [item] = [...store.items.values()];
    expect(Object.keys(item ?? {}).sort()).toStrictEqual([
      "attempt",
      "createdAt",
      "expiresAt",
      "id",
      "owner",
      "status",
      "v",
    ]);
    const stored = JSON.stringify([...store.items]);
    for (const part of [oneTime.slice(0, 32), oneTime.slice(40), "ann"]) expect(stored).not.toContain(part);
  });

  it("gives the token the end that it stores, never sooner than asked for", async () => {
    const store = memoryStore();
    const before = Date.now();
    const oneTime = await issueToken(options({ store, expiresAfter: { seconds: 90 } }));
    const { until } = redeem(oneTime, ANN);
    expect([...store.items.values()][0]?.["expiresAt"]).toStrictEqual({ N: String(until) });
    expect(until * 1000).toBeGreaterThanOrEqual(before + 90_000);
    expect(until * 1000).toBeLessThan(Date.now() + 91_001);
  });

  it("seals with the first secret", async () => {
    const [current, old] = [secret(), secret()];
    const oneTime = await issueToken(options({ secrets: [current, old] }));
    expect(token({ secrets: [current] }).redeem(oneTime, ANN).until).toBeGreaterThan(0);
    expect(() => token({ secrets: [old] }).redeem(oneTime, ANN)).toThrow("not valid");
  });

  it("binds to the principal as the operation reads it: text, number, list, or nobody in particular", async () => {
    for (const principal of ["ann", 7, ["tenant", "ann"], { iss: "i", sub: "s" }]) {
      const oneTime = await issueToken(options({ principal }));
      expect(redeem(oneTime, { ...ANN, principal: canonicalJson(principal) }).key).toHaveLength(32);
      expect(refusal(oneTime)).toStrictEqual(principal === "ann" ? { redeemed: expect.anything() } : foreign);
    }
    const anybodys = await issueToken(options({ principal: false }));
    expect(redeem(anybodys, { ...ANN, principal: undefined }).key).toHaveLength(32);
    expect(refusal(anybodys)).toStrictEqual(foreign);
  });

  it.each([[undefined], [null], [""], [["tenant", ""]], [["tenant", undefined]]])(
    "issues nothing for the principal %j, which is missing",
    async (principal) => {
      const store = memoryStore();
      await expect(issueToken(options({ store, principal }))).rejects.toMatchObject({ code: "principal_missing" });
      expect(store.items.size).toBe(0);
    },
  );

  it.each<[string, object, RegExp]>([
    ["no secrets", { secrets: undefined }, /secrets is not given; allowed is \[current, \.\.\.previous\]/],
    ["an empty list of secrets", { secrets: [] }, /secrets is an empty list/],
    ["a secret of 31 bytes", { secrets: ["s".repeat(31)] }, /secrets\[0\] is 31 bytes long/],
    ["the same secret twice", { secrets: [SECRETS[0], SECRETS[0]] }, /secrets\[1\] is the same as an earlier one/],
    ["a lifetime of 0", { expiresAfter: { seconds: 0 } }, /expiresAfter/],
    ["a lifetime as text", { expiresAfter: "15m" }, /expiresAfter/],
    ["no lifetime", { expiresAfter: undefined }, /expiresAfter/],
    ["an operation with a space", { operation: "place order" }, /operation is 'place order'; allowed are 1 to 255/],
    ["no operation", { operation: undefined }, /operation is undefined/],
    ["no store", { store: undefined }, /store is undefined; allowed is a store that issues tokens/],
    ["a store that issues none", { store: { ...memoryStore(), issue: undefined } }, /a store that issues tokens/],
    ["a bad secret of the operation", { secret: ["short"] }, /secret\[0\] is 5 bytes long/],
    ["an unknown option", { ttl: 5 }, /issueToken\(\) has no option 'ttl'; allowed are store, operation/],
  ])("refuses %s, and shows no secret", async (_, more, message) => {
    const error: unknown = await issueToken(options(more)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "config", message: expect.stringMatching(message) });
    expect(String(error)).not.toContain(String(SECRETS[0]));
  });

  it.each([[undefined], [null], [[]], ["text"]])("refuses %j in the place of its options", async (given) => {
    await expect(issueToken(given as never)).rejects.toMatchObject({ code: "config" });
    expect(() => token(given as never)).toThrow(/token\(\) was given .*; allowed is an object with secrets/);
  });

  it("gives no token out where the store fails", async () => {
    const issue = async () => ({ outcome: "busy" }) as const;
    await expect(issueToken(options({ store: { ...memoryStore(), issue } }))).rejects.toMatchObject({
      code: "store_failed",
      message: expect.stringContaining("no token could be issued in 3 tries"),
    });
    const fail = async () => {
      throw new Error("down");
    };
    await expect(issueToken(options({ store: { ...memoryStore(), issue: fail } }))).rejects.toThrow("down");
    const store = testingStore();
    store.failNext("issue", { responseLost: true });
    await expect(issueToken(options({ store }))).rejects.toMatchObject({ code: "store_failed" });
    expect(store.records()).toMatchObject([{ status: "ISSUED" }]); // Nobody has its token: it ends by itself.
  });

  it("knows the token that it issued itself where the answer was lost, and no other's", async () => {
    const inner = memoryStore();
    const answers: string[] = [];
    const store = {
      ...inner,
      async issue(request: Parameters<NonNullable<typeof inner.issue>>[0]) {
        const first = await inner.issue?.(request);
        const again = await inner.issue?.(request); // What a retry below us meets.
        answers.push(first?.outcome ?? "", again?.outcome ?? "");
        return again as never;
      },
    };
    const oneTime = await issueToken(options({ store }));
    expect(answers).toStrictEqual(["issued", "conflict"]);
    expect([redeem(oneTime, ANN).key.length, inner.items.size]).toStrictEqual([32, 1]);
    const foreigners = {
      ...inner,
      issue: (request: never) => store.issue({ ...(request as object), owner: "x" } as never),
    };
    await expect(issueToken(options({ store: foreigners }))).rejects.toMatchObject({ code: "store_failed" });
  });
});

describe("token()", () => {
  it.each<[object, RegExp]>([
    [{}, /token\(\): secrets is not given/],
    [{ secrets: "x".repeat(32) }, /secrets is a string; allowed is \[current/],
    [{ secrets: ["short"] }, /secrets\[0\] is 5 bytes long/],
    [{ secrets: SECRETS, header: "x" }, /token\(\) has no option 'header'; allowed are secrets/],
  ])("refuses %j at once", (given, message) => {
    expect(() => token(given as never)).toThrow(message);
  });

  it("keeps its secrets as they were when it was made", () => {
    const bytes = Buffer.from(secret());
    const mine = token({ secrets: [bytes] });
    const oneTime = newToken(UNTIL, ANN, Buffer.from(bytes)).token;
    bytes.fill(0);
    expect(mine.redeem(oneTime, ANN).until).toBe(UNTIL);
    expect(Object.isFrozen(mine)).toBe(true);
  });
});
