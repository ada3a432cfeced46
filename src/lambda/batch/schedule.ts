/**
 * Runs the tasks 0, 1, ..., at most `concurrency` at a time. `waitsFor[i]` are the tasks that have to end before
 * task `i` begins; they stand before it, so that there is always one that can go on. A task that rejects has ended.
 */
export function schedule(
  waitsFor: readonly (readonly number[])[],
  concurrency: number,
  run: (index: number) => Promise<void>,
): Promise<void> {
  const waiting = waitsFor.map((before) => before.length);
  const followers = waitsFor.map((): number[] => []);
  for (const [index, before] of waitsFor.entries()) {
    for (const one of before) followers[one]?.push(index);
  }
  const ready = [...waiting.keys()].filter((index) => waiting[index] === 0);
  let next = 0;
  let atWork = 0;

  return new Promise((resolve) => {
    const go = (): void => {
      for (; atWork < concurrency && next < ready.length; next++) {
        const index = ready[next] as number;
        atWork++;
        const ended = (): void => {
          atWork--;
          for (const follower of followers[index] as number[]) {
            const left = (waiting[follower] as number) - 1;
            waiting[follower] = left;
            if (left === 0) ready.push(follower);
          }
          go();
        };
        run(index).then(ended, ended);
      }
      if (atWork === 0) resolve();
    };
    go();
  });
}
