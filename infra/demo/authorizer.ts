import type { APIGatewayAuthorizerResult, APIGatewayTokenAuthorizerEvent } from "aws-lambda";
import { readSecret } from "./secrets.ts";
import { verifyToken } from "./token.ts";

/**
 * Says whose request it is, by its bearer token: the principal of the idempotency key. The error `Unauthorized` is
 * what API Gateway turns into a 401; any other one becomes a 500, so that without the secret nobody comes in.
 */
export async function handler(event: APIGatewayTokenAuthorizerEvent): Promise<APIGatewayAuthorizerResult> {
  const [, bearer] = /^Bearer ([\w-]+\.[\w-]+)$/i.exec(event.authorizationToken) ?? [];
  const token =
    bearer === undefined ? undefined : verifyToken(bearer, await readSecret("TOKEN_SECRET_ARN"), Date.now());
  if (token === undefined) throw new Error("Unauthorized");
  return {
    principalId: token.sub,
    policyDocument: {
      Version: "2012-10-17",
      // API Gateway keeps the answer for the token's other requests, so that it has to hold for all routes of the stage.
      Statement: [{ Effect: "Allow", Action: "execute-api:Invoke", Resource: everyRoute(event.methodArn) }],
    },
  };
}

/** `arn:aws:execute-api:eu-central-1:123456789012:a1b2c3/prod/POST/orders` ends after the stage. */
function everyRoute(methodArn: string): string {
  return `${methodArn.split("/").slice(0, 2).join("/")}/*`;
}
