import { setTimeout as pause } from "node:timers/promises";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";

let served = 0;
const dynamodb = new DynamoDBClient({ maxAttempts: 1 });

/** Does what the event asks for: itself from a test, or by the path `/do/{what}`. */
export async function handler(event, context) {
  served += 1;
  const what = event.what ?? event.pathParameters?.what ?? event.queryStringParameters?.what;
  const value = Number(event.value ?? event.queryStringParameters?.value ?? 0);
  console.log(`doing ${what}`);
  switch (what) {
    case "echo":
      return answer({ event, remaining: context.getRemainingTimeInMillis(), name: context.functionName });
    case "sleep":
      await pause(value);
      return answer({ served, pid: process.pid });
    case "put":
      await dynamodb.send(new PutItemCommand({ TableName: process.env.TABLE, Item: { id: { S: String(value) } } }));
      return answer({ served });
    case "send":
      await new SQSClient({}).send(
        new SendMessageCommand({ QueueUrl: process.env.QUEUE, MessageBody: "from a function" }),
      );
      return answer({ served });
    case "plain":
      return { hello: "world" };
    case "environment":
      return answer({ ...process.env, argv: process.execArgv });
    case "tick":
      setInterval(() => console.log("tick"), 20);
      return answer({ served, pid: process.pid });
    case "large":
      return answer("x".repeat(7_000_000));
    case "cookies":
      return {
        statusCode: 200,
        multiValueHeaders: { "Set-Cookie": ["a=1", "b=2"] },
        headers: { Server: "me" },
        body: "",
      };
    case "base64":
      return { statusCode: 200, headers: { "content-type": "image/png" }, body: "AAEC/w==", isBase64Encoded: true };
    case "malformed":
      return { status: "ok" };
    case "no-string":
      return { statusCode: 200, body: { an: "object" } };
    case "bad-header":
      return { statusCode: 200, headers: { "x-bad": "a\r\nb" }, body: "" };
    case "nothing":
      return undefined;
    case "throw":
      throw new TypeError("it does not work");
    case "uncaught":
      setTimeout(() => {
        throw new Error("nobody caught it");
      }, 1);
      return pause(5_000);
    case "exit":
      return process.exit(3);
    default:
      return answer({ served, pid: process.pid });
  }
}

function answer(value) {
  return { statusCode: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(value) };
}
