import { createHmac, timingSafeEqual } from "node:crypto";

/** What a bearer token says. */
export interface Token {
  /** Whom the token was given to. */
  readonly sub: string;
  /** When it ends, in seconds since 1970. */
  readonly exp: number;
}

/**
 * A bearer token: the token as base64url JSON, a dot, and its HMAC-SHA-256 as base64url. In a shell:
 * `p=$(printf '{"sub":"cus-1","exp":2000000000}' | basenc --base64url -w0 | tr -d =)`, then
 * `printf %s "$p" | openssl dgst -sha256 -hmac "$secret" -binary | basenc --base64url -w0 | tr -d =`.
 *
 * @example
 * const bearer = signToken({ sub: "cus-7Qm3", exp: Math.floor(Date.now() / 1000) + 3600 }, secret);
 */
export function signToken(token: Token, secret: string): string {
  const payload = Buffer.from(JSON.stringify(token)).toString("base64url");
  return `${payload}.${seal(payload, secret).toString("base64url")}`;
}

/** The token, where it was signed with `secret` and has not ended at `now` (milliseconds); `undefined` for all others. */
export function verifyToken(bearer: string, secret: string, now: number): Token | undefined {
  const [payload = "", signature = "", ...rest] = bearer.split(".");
  const given = Buffer.from(signature, "base64url");
  const expected = seal(payload, secret);
  if (rest.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  try {
    const { sub, exp } = JSON.parse(Buffer.from(payload, "base64url").toString()) as Partial<Token>;
    if (typeof sub !== "string" || !/^[\w.@-]{1,128}$/.test(sub)) return undefined;
    return typeof exp === "number" && exp * 1000 > now ? { sub, exp } : undefined;
  } catch {
    return undefined;
  }
}

function seal(payload: string, secret: string): Buffer {
  if (secret.length < 32) throw new Error(`the token secret has ${secret.length} characters; allowed are 32 or more`);
  return createHmac("sha256", secret).update(payload).digest();
}
