import { dynamoDBStore } from "lambda-once/dynamodb";
import { ours } from "./ours.ts";
import { answerClients } from "./own-client.ts";
import { serve } from "./serve.ts";

answerClients();
serve(ours((tableName) => dynamoDBStore({ tableName })));
