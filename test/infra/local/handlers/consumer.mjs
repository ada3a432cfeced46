/** Reads a queue. A message's body says what becomes of it. */
export async function handler(event) {
  console.log(JSON.stringify(event));
  const bodies = event.Records.map(({ body }) => body);
  if (bodies.includes("throw")) throw new Error("the whole batch fails");
  if (bodies.includes("null")) return null;
  if (bodies.includes("unknown id")) return { batchItemFailures: [{ itemIdentifier: "nobody" }] };
  const failed = event.Records.filter(({ body }) => body.startsWith("poison"));
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}
