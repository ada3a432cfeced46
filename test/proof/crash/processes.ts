import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Called, Job } from "./caller.ts";

/** One call in a process of its own. */
export interface RemoteCall {
  /** `undefined` where the process was killed. */
  readonly called: Promise<Called | undefined>;
  /** Stops the process, or lets it go on. */
  signal(name: "SIGSTOP" | "SIGCONT"): void;
  /** Sends SIGKILL; resolves when the process is dead. */
  kill(): Promise<void>;
}

/** Processes that call flows and may be killed. Some stand ready, since a start takes time. */
export interface Processes {
  call(job: Job): Promise<RemoteCall>;
  /** How many were killed. */
  killed(): number;
  stop(): Promise<void>;
}

/** Bundles the caller once, so that a process starts fast, and keeps `spare` of them ready. */
export async function startProcesses(spare: number): Promise<Processes> {
  const folder = mkdtempSync(join(tmpdir(), "lambda-once-crash-"));
  const outfile = join(folder, "child.cjs");
  await build({
    entryPoints: [fileURLToPath(new URL("child.ts", import.meta.url))],
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    conditions: ["lambda-once-source"],
    logLevel: "error",
  });
  /** Those that live, and the end of each. */
  const all = new Map<ChildProcess, Promise<unknown>>();
  const idle: Promise<ChildProcess>[] = [];
  let killed = 0;

  const start = async (): Promise<ChildProcess> => {
    const child = fork(outfile, { execArgv: [], stdio: ["ignore", "ignore", "inherit", "ipc"] });
    const exited = once(child, "exit").then(() => all.delete(child));
    all.set(child, exited);
    await once(child, "message");
    return child;
  };
  const refill = (): void => {
    while (idle.length < spare) idle.push(start());
  };
  refill();

  return {
    killed: () => killed,
    async call(job) {
      let child = await (idle.shift() ?? start());
      // One that was killed just after its answer stands there, too.
      while (all.get(child) === undefined || !child.connected) child = await (idle.shift() ?? start());
      refill();
      let isKilled = false;
      const exited = (all.get(child) ?? Promise.resolve()).then(() => {
        if (!isKilled) throw new Error("a process ended by itself");
      });
      exited.catch(() => {});
      const answered = once(child, "message").then(([called]) => {
        idle.push(Promise.resolve(child));
        return called as Called;
      });
      child.send(job);
      return {
        called: Promise.race([answered, exited.then(() => undefined)]),
        signal: (name) => void child.kill(name),
        async kill() {
          killed += 1;
          isKilled = true;
          child.kill("SIGKILL");
          await exited;
        },
      };
    },
    async stop() {
      await Promise.all(idle);
      await Promise.all(
        [...all].map(([child, exited]) => {
          if (child.connected) child.disconnect();
          return exited;
        }),
      );
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
