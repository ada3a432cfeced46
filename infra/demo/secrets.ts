/**
 * A secret from the AWS Parameters and Secrets extension beside the function, which fetches it from Secrets Manager and
 * keeps it for five minutes. It answers during invocations only, not while the function is loaded. `variable` is the
 * environment variable that holds the secret's ARN.
 */
export async function readSecret(variable: string): Promise<string> {
  const arn = process.env[variable] ?? "";
  const { AWS_SESSION_TOKEN = "", PARAMETERS_SECRETS_EXTENSION_HTTP_PORT = "2773" } = process.env;
  const url = new URL(`http://localhost:${PARAMETERS_SECRETS_EXTENSION_HTTP_PORT}/secretsmanager/get`);
  url.searchParams.set("secretId", arn);
  const response = await fetch(url, {
    headers: { "X-Aws-Parameters-Secrets-Token": AWS_SESSION_TOKEN },
    signal: AbortSignal.timeout(3_000),
  });
  if (!response.ok) throw new Error(`the secret ${arn} cannot be read: HTTP ${response.status}`);
  return ((await response.json()) as { SecretString: string }).SecretString;
}
