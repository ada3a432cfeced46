import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";

/** A JSON answer. */
export function answer(
  statusCode: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): APIGatewayProxyResult {
  return { statusCode, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) };
}

/** The JSON of a request's body; `undefined` for what is none. */
export function readJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}

/** Whose request it is: what the authorizer says. */
export const customerOf = ({ requestContext }: APIGatewayProxyEvent): string =>
  String(requestContext.authorizer?.["principalId"]);

/** The order in the path is not there, or is another customer's. */
export const notFound = (): APIGatewayProxyResult => answer(404, { message: "there is no such order" });
