import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startStack } from "../../../infra/local/stack.ts";
import { newFolder, writeAssembly } from "./fixture.ts";

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) if (child.exitCode === null) child.kill("SIGKILL");
});

function run(options: readonly string[], environment: NodeJS.ProcessEnv = process.env) {
  const program = ["--conditions=lambda-once-source", "--import", "tsx", "infra/local/start.ts", ...options];
  const child = spawn(process.execPath, program, { env: environment });
  started.push(child);
  let output = "";
  const add = (chunk: Buffer) => {
    output += chunk;
  };
  child.stdout.on("data", add);
  child.stderr.on("data", add);
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", resolve);
  });
  return { child, ended, output: () => output };
}

/** All processes below one, while it lives. */
function below(pid: number): number[] {
  const table = execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" });
  const pairs = table
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const children = pairs.filter(([, parent]) => parent === pid).map(([child = 0]) => child);
  return [...children, ...children.flatMap(below)];
}

function living(pids: readonly number[]): number[] {
  const table = execFileSync("ps", ["-eo", "pid=,stat="], { encoding: "utf8" });
  const rows = table
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  return pids.filter((pid) => rows.some(([id, state = ""]) => Number(id) === pid && !state.startsWith("Z")));
}

async function up() {
  const program = run(["--cdk-out", writeAssembly(), "--port", "0"]);
  await vi.waitFor(() => expect(program.output()).toContain("Ctrl-C ends it all"), { timeout: 20_000 });
  const [, url = ""] = /^API (\S+)$/m.exec(program.output()) ?? [];
  expect((await fetch(`${url}/do/count`)).status).toBe(200);
  return { ...program, url, children: below(program.child.pid ?? 0) };
}

describe("npm start", { timeout: 40_000 }, () => {
  it("prints URLs, routes and a line an invocation, and ends every child at Ctrl-C", async () => {
    const { child, ended, output, url, children } = await up();
    await fetch(`${url}/nowhere`);
    await vi.waitFor(() => expect(output()).toContain("GET /prod/nowhere -> 403 by API Gateway, no function ran"));
    expect(output()).toContain("with Node v");
    expect(output()).toContain(`curl -i -X POST '${url}/orders'`);
    expect(output()).toMatch(/Queue Queue, which feeds Consumer: http:\/\/127\.0\.0\.1:\d+\/000000000000\/Shop-Queue/);
    expect(output()).toMatch(/Worker {2,}ok +\d+ ms {2}cold/);
    expect(children.length).toBeGreaterThan(2); // Java, the watchdog, an environment.
    child.kill("SIGINT");
    expect(await ended).toBe(0);
    await vi.waitFor(() => expect(living(children)).toEqual([]), { timeout: 5_000 });
  });

  it("leaves no child behind when it is killed, not even a frozen one", async () => {
    const { child, children } = await up();
    child.kill("SIGKILL");
    await vi.waitFor(() => expect(living(children)).toEqual([]), { timeout: 5_000 });
  });

  it("says in one sentence that there is no cdk.out", async () => {
    const { ended, output } = run(["--cdk-out", "/no/such/folder"]);
    expect(await ended).toBe(1);
    expect(output()).toBe("there is no cdk.out at /no/such/folder: write it with `npx cdk synth --quiet`\n");
  });

  it("says in one sentence that the port is in use", async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
    });
    const { ended, output } = run(["--cdk-out", writeAssembly(), "--port", String(port)]);
    expect(await ended).toBe(1);
    expect(output()).toBe(`port ${port} is in use: end what listens there, or choose another port\n`);
    server.close();
  });

  it("says in one sentence that there is no Java", async () => {
    const PATH = newFolder();
    for (const name of ["sh", "cat"]) symlinkSync(`/bin/${name}`, join(PATH, name));
    const { ended, output } = run(["--cdk-out", writeAssembly(), "--port", "0"], { ...process.env, PATH });
    expect(await ended).toBe(1);
    expect(output()).toMatch(/^DynamoDB Local needs Java 17 or newer and there is no java here: install .*\n$/);
  });

  it.each([
    ["--port", "many", "--port is many; allowed is a whole number from 0 to 65535"],
    ["--visibility", "-1", "--visibility is -1; allowed is a whole number from 0 to 43200"],
  ])("refuses %s %s", async (option, value, message) => {
    const { ended, output } = run(["--cdk-out", writeAssembly(), `${option}=${value}`]);
    expect(await ended).toBe(1);
    expect(output()).toBe(`${message}\n`);
  });
});

describe("a stack that cannot start", () => {
  it("names what cannot run here and leaves nothing listening", async () => {
    const cdkOut = writeAssembly({ Topic: { Type: "AWS::SNS::Topic" } });
    await expect(startStack({ cdkOut })).rejects.toThrow("- Topic is an AWS::SNS::Topic");
  });
});
