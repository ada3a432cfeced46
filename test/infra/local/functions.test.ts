import { execFileSync } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, describe, expect, it, vi } from "vitest";
import { type Invocation, type LocalFunction, localFunction } from "../../../infra/local/functions.ts";
import type { FunctionModel } from "../../../infra/local/resources.ts";
import { startWatchdog } from "../../../infra/local/watchdog.ts";
import { handlers } from "./fixture.ts";

const watchdog = startWatchdog();
const started: LocalFunction[] = [];
afterAll(async () => {
  await Promise.all(started.map((fn) => fn.stop()));
  watchdog.stop();
});

function start(change: Partial<FunctionModel> = {}, concurrency = 3) {
  const model: FunctionModel = {
    id: "Worker",
    name: "shop-worker",
    arn: "arn:aws:lambda:eu-central-1:000000000000:function:shop-worker",
    runtime: "nodejs24.x",
    handler: "worker.handler",
    code: handlers,
    timeout: 1,
    memory: 128,
    environment: { GREETING: "hello", NODE_OPTIONS: "--enable-source-maps" },
    ...change,
  };
  const invocations: Invocation[] = [];
  const fn = localFunction(model, {
    watchdog,
    concurrency,
    variables: (accessKey) => ({ AWS_ACCESS_KEY_ID: accessKey, AWS_REGION: "eu-central-1" }),
    began: () => {},
    finished: (invocation) => invocations.push(invocation),
    logged: () => {},
  });
  started.push(fn);
  const invoke = (what: string, value = 0) => fn.invoke(JSON.stringify({ what, value }));
  const body = async (what: string, value = 0) => {
    const answer = await invoke(what, value);
    if (answer.status !== "ok") throw new Error(JSON.stringify(answer));
    return JSON.parse(JSON.parse(answer.payload).body);
  };
  return { fn, invoke, body, invocations };
}

const stateOf = (pid: number) => execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).trim();

describe("a local function", { timeout: 20_000 }, () => {
  it("starts cold, serves warm and is frozen in between", async () => {
    const { body, invocations } = start();
    const first = await body("sleep");
    await vi.waitFor(() => expect(stateOf(first.pid)).toMatch(/^T/));
    const second = await body("sleep");
    expect(second).toEqual({ pid: first.pid, served: 2 });
    expect(invocations.map(({ cold, outcome }) => [cold, outcome])).toEqual([
      [true, "ok"],
      [false, "ok"],
    ]);
  });

  it("does nothing between invocations, and goes on with it during the next", async () => {
    const { fn, body } = start();
    const { pid } = await body("tick");
    await vi.waitFor(() => expect(stateOf(pid)).toMatch(/^T/));
    const ticks = () => fn.logs.filter((line) => line.endsWith("tick") && !line.includes("doing")).length;
    const before = ticks();
    await pause(200);
    expect(ticks()).toBe(before);
    await body("sleep", 200);
    expect(ticks()).toBeGreaterThan(before + 3);
  });

  it("finds its name, memory and variables, and none of ours", async () => {
    vi.stubEnv("AWS_PROFILE", "real-account");
    const { body } = start();
    const environment = await body("environment");
    vi.unstubAllEnvs();
    expect(environment).toMatchObject({
      AWS_LAMBDA_FUNCTION_NAME: "shop-worker",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "128",
      AWS_ACCESS_KEY_ID: "Worker1",
      GREETING: "hello",
      NODE_OPTIONS: "--enable-source-maps",
    });
    expect(environment).not.toHaveProperty("AWS_PROFILE");
    expect(environment.argv).toContain("--max-old-space-size=128");
  });

  it("knows how much time it has left", async () => {
    const { remaining, name } = await start({ timeout: 7 }).body("echo");
    expect(name).toBe("shop-worker");
    expect(remaining).toBeGreaterThan(6_000);
    expect(remaining).toBeLessThanOrEqual(7_000);
  });

  it("is killed at its timeout, and the next invocation starts cold", async () => {
    const { fn, invoke, body, invocations } = start();
    const { pid } = await body("sleep");
    const answer = await invoke("sleep", 60_000);
    expect(answer).toMatchObject({
      status: "timeout",
      error: {
        errorType: "Sandbox.Timedout",
        errorMessage: expect.stringMatching(/Task timed out after 1\.00 seconds$/),
      },
    });
    expect((await body("sleep")).pid).not.toBe(pid);
    expect(invocations.map(({ outcome, cold }) => [outcome, cold])).toEqual([
      ["ok", true],
      ["timeout", false],
      ["ok", true],
    ]);
    expect(fn.logs.join("\n")).toContain("Task timed out after 1.00 seconds");
  });

  it("tells of a crash as Lambda does", async () => {
    const { invoke, body } = start();
    expect(await invoke("exit")).toMatchObject({
      status: "error",
      error: { errorType: "Runtime.ExitError", errorMessage: expect.stringContaining("exit status 3") },
    });
    expect((await body("sleep")).served).toBe(1);
  });

  it("passes on an error that is thrown, and stays warm", async () => {
    const { invoke, body } = start();
    expect(await invoke("throw")).toMatchObject({
      status: "error",
      error: { errorType: "TypeError", errorMessage: "it does not work" },
    });
    expect((await body("sleep")).served).toBe(2);
  });

  it("passes on an error that nobody caught, and ends", async () => {
    const { invoke, body } = start();
    expect(await invoke("uncaught")).toMatchObject({ status: "error", error: { errorMessage: "nobody caught it" } });
    expect((await body("sleep")).served).toBe(1);
  });

  it("says why a handler cannot be loaded, to the caller and in the log", async () => {
    const { fn, invoke } = start({ handler: "broken.handler" });
    expect(await invoke("echo")).toMatchObject({
      status: "error",
      error: { errorMessage: expect.stringContaining("no-such-module.mjs") },
    });
    await vi.waitFor(() => expect(fn.logs.join("\n")).toContain("no-such-module.mjs"));
  });

  it("says that an export is not there", async () => {
    expect(await start({ handler: "worker.nothing" }).invoke("echo")).toMatchObject({
      error: { errorType: "Runtime.HandlerNotFound", errorMessage: "worker.nothing is undefined or not exported" },
    });
  });

  it("serves several invocations at once, each in an environment of its own, and throttles those beyond the limit", async () => {
    const { invoke, invocations } = start({}, 2);
    const answers = await Promise.all(Array.from({ length: 4 }, () => invoke("sleep", 300)));
    expect(answers.map(({ status }) => status).sort()).toEqual(["ok", "ok", "throttled", "throttled"]);
    expect(invocations.filter(({ outcome }) => outcome === "throttled")).toHaveLength(2);
    const pids = answers.flatMap((answer) =>
      answer.status === "ok" ? JSON.parse(JSON.parse(answer.payload).body).pid : [],
    );
    expect(new Set(pids).size).toBe(2);
  });

  it("keeps to the concurrency that is reserved for it", async () => {
    const { invoke } = start({ reservedConcurrency: 1 });
    const answers = await Promise.all([invoke("sleep", 100), invoke("sleep", 100)]);
    expect(answers.map(({ status }) => status).sort()).toEqual(["ok", "throttled"]);
  });

  it("refuses an event and a result above six megabytes", async () => {
    const { fn, invoke } = start();
    expect(await fn.invoke(JSON.stringify("x".repeat(6_300_000)))).toMatchObject({ status: "too large" });
    expect(await invoke("large")).toMatchObject({ error: { errorType: "Function.ResponseSizeTooLarge" } });
  });

  it("can be killed while it runs", async () => {
    const { fn, invoke, body } = start();
    await body("sleep");
    const answer = invoke("sleep", 60_000);
    await pause(50);
    expect(fn.kill()).toBe(1);
    expect(await answer).toMatchObject({
      status: "killed",
      error: { errorMessage: expect.stringContaining("signal: killed") },
    });
    expect(fn.kill()).toBe(0);
  });

  it("can be frozen while it runs, and is late by as much", async () => {
    const { fn, invoke, body, invocations } = start();
    await body("sleep");
    const answer = invoke("sleep", 100);
    await pause(20);
    expect(fn.freeze(400)).toBe(1);
    expect((await answer).status).toBe("ok");
    expect(invocations.at(-1)?.duration).toBeGreaterThan(380);
  });

  it("is killed at its timeout though it is frozen", async () => {
    const { fn, invoke, body } = start();
    await body("sleep");
    const answer = invoke("sleep", 10);
    fn.freeze(60_000);
    expect((await answer).status).toBe("timeout");
  });
});
