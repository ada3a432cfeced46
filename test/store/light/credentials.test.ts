import { describe, expect, it } from "vitest";
import { credentialCache } from "../../../src/store/light/credentials.ts";
import { fromEnvironment, type LightCredentials } from "../../../src/store/light/provider.ts";
import { failureOf, handTime } from "./kit.ts";

const MINUTE = 60_000;

/** A provider that counts, and whose credentials end after so many minutes. */
function counting(time: { now(): number }, minutes?: number) {
  let asked = 0;
  const provider = async (): Promise<LightCredentials> => {
    asked += 1;
    const expiration = minutes === undefined ? undefined : new Date(time.now() + minutes * MINUTE);
    return { accessKeyId: `AK${asked}`, secretAccessKey: "verysecret", expiration };
  };
  return { provider, asked: () => asked };
}

describe("credentials that a function gives", () => {
  it("are asked for once by all who need them at the same time", async () => {
    const time = handTime();
    const { provider, asked } = counting(time, 60);
    const cache = credentialCache(provider, time);
    const got = await Promise.all([cache.current(), cache.current(), cache.current()]);
    expect(new Set(got).size).toBe(1);
    expect(asked()).toBe(1);
    expect(time.pending()).toBe(0);
  });

  it("are kept until five minutes before they end", async () => {
    const time = handTime();
    const { provider, asked } = counting(time, 60);
    const cache = credentialCache(provider, time);
    await cache.current();
    time.advance(55 * MINUTE - 1);
    expect(await cache.current()).toMatchObject({ accessKeyId: "AK1" });
    time.advance(1);
    expect(await Promise.all([cache.current(), cache.current()])).toMatchObject([{ accessKeyId: "AK2" }, {}]);
    expect(asked()).toBe(2);
  });

  it("are kept for half of their time where it is shorter than ten minutes", async () => {
    const time = handTime();
    const { provider, asked } = counting(time, 4);
    const cache = credentialCache(provider, time);
    await cache.current();
    time.advance(2 * MINUTE - 1);
    await cache.current();
    expect(asked()).toBe(1);
    time.advance(1);
    await cache.current();
    expect(asked()).toBe(2);
  });

  it("are kept for ever without an end", async () => {
    const time = handTime();
    const { provider, asked } = counting(time);
    const cache = credentialCache(provider, time);
    await cache.current();
    time.advance(365 * 24 * 60 * MINUTE);
    await cache.current();
    expect(asked()).toBe(1);
  });

  it("are used to their end where new ones cannot be had, and not after it", async () => {
    const time = handTime();
    let asked = 0;
    const cache = credentialCache(() => {
      asked += 1;
      if (asked > 1) throw new Error("the token service is down");
      return { accessKeyId: "AK1", secretAccessKey: "verysecret", expiration: new Date(time.now() + 60 * MINUTE) };
    }, time);
    await cache.current();
    time.advance(56 * MINUTE);
    for (let request = 0; request < 3; request++) expect(await cache.current()).toMatchObject({ accessKeyId: "AK1" });
    expect(asked).toBe(2);
    time.advance(10_000);
    await cache.current();
    expect(asked).toBe(3);
    time.advance(4 * MINUTE);
    expect(await failureOf(Promise.resolve(cache.current()))).toMatchObject({ name: "CredentialsProviderError" });
  });

  it("are renewed once for all requests that were refused with the old ones", async () => {
    const time = handTime();
    const { provider, asked } = counting(time, 60);
    const cache = credentialCache(provider, time);
    const old = await cache.current();
    expect(await Promise.all([cache.renew(old), cache.renew(old)])).toStrictEqual([true, true]);
    expect(await cache.renew(old)).toBe(true);
    expect(asked()).toBe(2);
  });

  it("are not given out any more once they were refused", async () => {
    const time = handTime();
    const cache = credentialCache(counting(time, 60).provider, time);
    const old = await cache.current();
    const renewed = cache.renew(old);
    expect(await cache.current()).toMatchObject({ accessKeyId: "AK2" });
    expect(await renewed).toBe(true);
  });

  it("are not renewed where the same ones come back", async () => {
    const same = { accessKeyId: "AK1", secretAccessKey: "verysecret" };
    const cache = credentialCache(() => ({ ...same }), handTime());
    expect(await cache.renew(await cache.current())).toBe(false);
  });

  it("fail with the cause, are asked for anew by the next request, and are never waited for above five seconds", async () => {
    const time = handTime();
    const cause = new Error("no route");
    const answers = [() => Promise.reject(cause), () => new Promise<never>(() => {}), () => counting(time).provider()];
    const cache = credentialCache(() => (answers.shift() ?? expect.unreachable())(), time);
    expect(await failureOf(Promise.resolve(cache.current()))).toMatchObject({
      name: "CredentialsProviderError",
      cause,
    });
    const hanging = failureOf(Promise.resolve(cache.current()));
    time.advance(5_000);
    expect((await hanging).message).toBe("the credentials did not come within 5000 ms");
    expect(await cache.current()).toMatchObject({ accessKeyId: "AK1" });
  });

  it.each([
    ["nothing", undefined, "accessKeyId is missing"],
    ["no id", { secretAccessKey: "verysecret" }, "accessKeyId is missing"],
    ["no secret", { accessKeyId: "AK" }, "secretAccessKey is missing"],
    ["an empty id", { accessKeyId: "", secretAccessKey: "verysecret" }, "accessKeyId is missing"],
    ["a line break in the id", { accessKeyId: "AK\r\nX-Evil: 1", secretAccessKey: "verysecret" }, "accessKeyId"],
    [
      "a line break in the token",
      { accessKeyId: "AK", secretAccessKey: "verysecret", sessionToken: "verysecret\n" },
      "sessionToken is not visible ASCII",
    ],
    ["an end that is text", { accessKeyId: "AK", secretAccessKey: "verysecret", expiration: "soon" }, "not a Date"],
    [
      "an end that is no time",
      { accessKeyId: "AK", secretAccessKey: "verysecret", expiration: new Date("soon") },
      "not a Date",
    ],
  ])("are refused with %s, and not shown", async (_, given, message) => {
    const cache = credentialCache(() => given as LightCredentials, handTime());
    const error = await failureOf(Promise.resolve(cache.current()));
    expect(error).toMatchObject({ name: "CredentialsProviderError", message: expect.stringContaining(message) });
    expect(`${error.message} ${JSON.stringify(error)}`).not.toMatch(/verysecret|X-Evil/);
  });
});

describe("credentials of the environment", () => {
  const AWS_ACCESS_KEY_ID = "AK";
  const AWS_SECRET_ACCESS_KEY = "verysecret";

  it("have a session token where there is one", () => {
    const pair = { accessKeyId: "AK", secretAccessKey: "verysecret" };
    const environment = { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY };
    expect(fromEnvironment({ ...environment, AWS_SESSION_TOKEN: "t" })).toStrictEqual({ ...pair, sessionToken: "t" });
    expect(fromEnvironment({ ...environment, AWS_SESSION_TOKEN: "" })).toStrictEqual({
      ...pair,
      sessionToken: undefined,
    });
  });

  it("are none where one half is missing", () => {
    expect(fromEnvironment({ AWS_ACCESS_KEY_ID })).toBeUndefined();
    expect(fromEnvironment({ AWS_SECRET_ACCESS_KEY, AWS_ACCESS_KEY_ID: "" })).toBeUndefined();
  });
});
