import { spawn } from "node:child_process";

/** Kills process groups when this process has died, however it died. */
export interface Watchdog {
  watch(pid: number): void;
  /** Call it as soon as the process has ended: its id may soon be another's. */
  forget(pid: number): void;
  stop(): void;
}

/** A shell that waits for the end of its input, which the system brings about when we are gone. */
const WAIT = `pids=' '
while read -r turn pid; do
  case $turn in
    watch) pids="$pids$pid " ;;
    forget) pids="\${pids%% $pid *} \${pids#* $pid }" ;;
  esac
done
for pid in $pids; do kill -s KILL -- "-$pid" 2>/dev/null; done
exit 0`;

/** Starts the watchdog: one small process for a whole stack. Frozen processes could not look after themselves. */
export function startWatchdog(): Watchdog {
  const shell = spawn("sh", ["-c", WAIT, "lambda-once-watchdog"], {
    detached: true, // Ctrl-C in a terminal is for us alone.
    stdio: ["pipe", "ignore", "ignore"],
  });
  shell.unref();
  shell.on("error", () => {});
  shell.stdin.on("error", () => {});
  const tell = (line: string): void => {
    shell.stdin.write(`${line}\n`);
  };
  return {
    watch: (pid) => tell(`watch ${pid}`),
    forget: (pid) => tell(`forget ${pid}`),
    stop: () => shell.stdin.end(),
  };
}
