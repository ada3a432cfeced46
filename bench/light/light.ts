import { dynamoDBStore } from "lambda-once/dynamodb/light";
import { tell } from "./calls.ts";

await tell(() => dynamoDBStore());
