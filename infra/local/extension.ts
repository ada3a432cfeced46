import { createServer } from "node:http";
import { type Listening, listen } from "./listen.ts";
import type { SecretModel } from "./template.ts";

/**
 * Stands in for the AWS Parameters and Secrets extension, which functions with its layer ask on localhost for the text
 * of a secret: `GET /secretsmanager/get?secretId=<ARN>` with the session token.
 */
export function startSecretsExtension(secrets: () => readonly SecretModel[], token: string): Promise<Listening> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    if (request.headers["x-aws-parameters-secrets-token"] !== token) return answer(401, "not authorized");
    if (pathname !== "/secretsmanager/get") return answer(400, `the local stack does not serve ${pathname}`);
    const secret = secrets().find(({ id, name }) => [id, name].includes(searchParams.get("secretId") ?? ""));
    if (secret === undefined)
      return answer(400, "ResourceNotFoundException: Secrets Manager can't find the specified secret.");
    answer(200, { ARN: secret.name, Name: secret.id, SecretString: secret.text, VersionStages: ["AWSCURRENT"] });
  });
  return listen(server);
}
