import { fork } from "node:child_process";
import { once } from "node:events";
import type { Batch, Spent } from "../subjects/serve.ts";

/** One program under measurement, in a process of its own. */
export interface Child {
  run(batch: Batch): Promise<Spent>;
  end(): void;
}

/** What a measured process does not inherit: settings that change what Node.js or the SDK load. */
const CLEAN = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(NODE_|AWS_|npm_|LAMBDA_ONCE_)/.test(name)),
);

export const environment = (more: Readonly<Record<string, string>>): Readonly<Record<string, string | undefined>> => ({
  ...CLEAN,
  ...more,
});

/** Starts a bundle of `subjects/` that serves batches. */
export function startChild(bundle: string, env: Readonly<Record<string, string>>): Child {
  const child = fork(bundle, { execArgv: ["--no-warnings"], env: environment(env) });
  const died = once(child, "exit").then(([code]) => {
    throw new Error(`the process of ${bundle} ended with code ${code}`);
  });
  died.catch(() => {});
  return {
    async run(batch) {
      child.send(batch);
      const [spent] = (await Promise.race([once(child, "message"), died])) as [Spent];
      return spent;
    },
    end: () => child.kill(),
  };
}
