/**
 * The life of a fresh environment: imports the handler that argv names, calls it so often, and prints what that took.
 * CPU ms: of the import, and for each call of the ranges that end at 1, 10, 100. Bytes: what is used after all calls.
 */
const [handlerAt, most] = [process.argv[2], Number(process.argv[3])];
const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};
const end = performance.now() + 3_600_000;
const context = {
  functionName: "place-order",
  functionVersion: "$LATEST",
  invokedFunctionArn: "arn:aws:lambda:eu-central-1:123456789012:function:place-order",
  memoryLimitInMB: "128",
  awsRequestId: "00000000-0000-4000-8000-000000000000",
  logGroupName: "/aws/lambda/place-order",
  logStreamName: "bench",
  callbackWaitsForEmptyEventLoop: true,
  getRemainingTimeInMillis: () => Math.floor(end - performance.now()),
  done() {},
  fail() {},
  succeed() {},
};

const before = cpu();
const { handler, store } = await import(handlerAt);
const imported = cpu() - before;
if (process.env.PREWARM === "yes") await store.prewarm();
const calls = [];
let made = 0;
for (const until of [1, 10, 100, 1_000].filter((count) => count <= most)) {
  const [count, since] = [until - made, cpu()];
  while (made < until) await handler({ orderId: `o-${++made}` }, context);
  calls.push((cpu() - since) / count);
}
globalThis.gc?.();
const { rss, heapUsed } = process.memoryUsage();
console.log(JSON.stringify({ imported, calls, rss, heapUsed }));
process.exit(0);
