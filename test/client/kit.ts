import { type Fetch, type IdempotentFetchOptions, idempotentFetch } from "../../src/client.ts";

export const URL_OF_ORDERS = "https://api.example.com/orders";
export const POST = { method: "POST", body: '{"amount":5}' };
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

type Answer = Response | Error | ((init: RequestInit) => Promise<Response>);

/** A client over answers that are written down, the last of them again and again; its clock moves by what it sleeps. */
export function client(answers: readonly Answer[], options: IdempotentFetchOptions = {}) {
  let time = Date.parse("2026-01-01T00:00:00Z");
  const waits: number[] = [];
  const sent: { readonly headers: Headers; readonly body: unknown; readonly input: unknown }[] = [];
  const send: Fetch = async (input, init = {}) => {
    const answer = answers[Math.min(sent.length, answers.length - 1)];
    sent.push({ headers: new Headers(init.headers), body: init.body, input });
    if (answer instanceof Error) throw answer;
    return typeof answer === "function" ? answer(init) : (answer as Response).clone();
  };
  const call = idempotentFetch({
    fetch: send,
    random: () => 0.5,
    now: () => time,
    sleep: async (millis) => {
      waits.push(millis);
      time += millis;
    },
    ...options,
  });
  return { call, sent, waits, keys: () => sent.map(({ headers }) => headers.get("idempotency-key")) };
}

export const status = (code: number, headers: Record<string, string> = {}) =>
  new Response(null, { status: code, headers });
export const ok = () => new Response('{"done":true}', { status: 201 });
export const problem = (type: string, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify({ type, title: "no" }), {
    status: 409,
    headers: { "content-type": "application/problem+json", ...headers },
  });
export const fault = () => new TypeError("fetch failed");
export const never = () => new Promise<Response>(() => {});
export const own = new Error("no sleep");
