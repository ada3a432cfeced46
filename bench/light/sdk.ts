import { dynamoDBStore } from "lambda-once/dynamodb";
import { tell } from "./calls.ts";

await tell(() => dynamoDBStore());
