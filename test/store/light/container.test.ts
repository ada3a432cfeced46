import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { fromContainer, hasContainer } from "../../../src/store/light/container.ts";
import { failureOf, handTime, hangUp, json, refusal, serve, silence } from "./kit.ts";

const EXPIRES = "2026-11-21T12:00:00Z";
const given = { AccessKeyId: "AK", SecretAccessKey: "verysecret", Token: "t", Expiration: EXPIRES };
const credentials = {
  accessKeyId: "AK",
  secretAccessKey: "verysecret",
  sessionToken: "t",
  expiration: new Date(EXPIRES),
};

describe("credentials of the container's endpoint", () => {
  const at = (endpoint: string, more: Record<string, string> = {}) =>
    fromContainer({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${endpoint}/v2/credentials?id=7`, ...more }, handTime());

  it("come with the token that the environment has", async () => {
    const { endpoint, sent } = await serve(json(200, given));
    expect(await at(endpoint, { AWS_CONTAINER_AUTHORIZATION_TOKEN: "Bearer x" })).toStrictEqual(credentials);
    expect(sent).toMatchObject([
      { method: "GET", path: "/v2/credentials?id=7", headers: { authorization: "Bearer x" }, body: "" },
    ]);
  });

  it("come with the token of the file, which is read each time and goes first", async () => {
    const { endpoint, sent } = await serve(json(200, given));
    const folder = await mkdtemp(join(tmpdir(), "light-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, "token");
    for (const token of ["one", "two"]) {
      await writeFile(file, `${token}\n`);
      const both = { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file, AWS_CONTAINER_AUTHORIZATION_TOKEN: "old" };
      await at(endpoint, both);
    }
    expect(sent.map(({ headers }) => headers.authorization)).toStrictEqual(["one", "two"]);
  });

  it("come without a token where there is none", async () => {
    const { endpoint, sent } = await serve(json(200, given));
    await at(endpoint);
    expect(sent[0]?.headers).not.toHaveProperty("authorization");
  });

  it("are asked for three times where the endpoint is out of order", async () => {
    const { endpoint, sent } = await serve(hangUp, json(500, {}), json(200, given));
    expect(await at(endpoint)).toStrictEqual(credentials);
    expect(sent).toHaveLength(3);
    const { endpoint: broken, sent: inVain } = await serve(json(503, "<html>"));
    expect((await failureOf(at(broken))).message).toBe("the container's credentials endpoint answered with status 503");
    expect(inVain).toHaveLength(3);
  });

  it.each([400, 404, 301])("are asked for once where the endpoint says %i", async (status) => {
    const { endpoint, sent } = await serve(refusal("Nope", {}, status, { location: "http://127.0.0.1:1/" }));
    expect(await failureOf(at(endpoint))).toMatchObject({
      name: "CredentialsProviderError",
      message: `the container's credentials endpoint answered with status ${status}`,
    });
    expect(sent).toHaveLength(1);
  });

  it.each([
    ["text", "AK verysecret"],
    ["an empty body", ""],
    ["null", "null"],
  ])("are none where the endpoint gives %s", async (_, body) => {
    const { endpoint } = await serve(json(200, body));
    const error = await failureOf(at(endpoint));
    expect(error).toMatchObject({ name: "CredentialsProviderError" });
    expect(error.message).not.toContain("verysecret");
  });

  it("are not waited for above a second", async () => {
    const { endpoint } = await serve(silence);
    const time = handTime();
    const answer = failureOf(fromContainer({ AWS_CONTAINER_CREDENTIALS_FULL_URI: endpoint }, time));
    for (let attempt = 0; attempt < 3; attempt++) {
      while (time.pending() === 0) await new Promise(setImmediate);
      time.advance(1_000);
    }
    expect((await answer).message).toContain("no ");
  });

  it.each([
    ["another host", { AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://169.254.169.254/" }],
    ["a name that begins like an address", { AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://127.0.0.1.evil.example/" }],
    ["another protocol", { AWS_CONTAINER_CREDENTIALS_FULL_URI: "file:///etc/passwd" }],
    ["no URL", { AWS_CONTAINER_CREDENTIALS_FULL_URI: "credentials" }],
    ["a path that makes it another host", { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "@evil.example/" }],
    ["a path that lengthens the host", { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: ".evil.example/" }],
  ])("are not asked for at %s", async (_, environment) => {
    const error = await failureOf(fromContainer(environment, handTime()));
    expect(error).toMatchObject({
      name: "CredentialsProviderError",
      message: expect.stringContaining("no endpoint that is allowed"),
    });
  });

  it.each([
    ["with a line break", { AWS_CONTAINER_AUTHORIZATION_TOKEN: "verysecret\r\nHost: evil" }],
    ["in a file that is not there", { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "/nowhere/token" }],
  ])("are not asked for by a token %s", async (_, token) => {
    const { endpoint, sent } = await serve(json(200, given));
    const error = await failureOf(at(endpoint, token));
    expect(error).toMatchObject({ name: "CredentialsProviderError" });
    expect(error.message).not.toContain("verysecret");
    expect(sent).toHaveLength(0);
  });

  it("are there where the environment names the endpoint", () => {
    expect(hasContainer({ AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/v2" })).toBe(true);
    expect(hasContainer({ AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://localhost/" })).toBe(true);
    expect(hasContainer({ AWS_CONTAINER_CREDENTIALS_FULL_URI: "" })).toBe(false);
  });
});
