import { dynamoDBStore } from "lambda-once/dynamodb/light";
import { answerHttps } from "./memory.ts";
import { ours } from "./ours.ts";
import { serve } from "./serve.ts";

answerHttps();
serve(ours((tableName) => dynamoDBStore({ tableName })));
