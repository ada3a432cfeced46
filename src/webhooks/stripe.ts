import { malformed, onlyHeader } from "./headers.ts";
import { idInBody } from "./id-in-body.ts";
import { digestOf, hmacs, type Scheme } from "./scheme.ts";

const HEADER = "Stripe-Signature";

/** Stripe: `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>]`; signed is `<t>.<body>`, and the event's id is in the body. */
export function stripeScheme(secrets: readonly Uint8Array[]): Scheme {
  const id = idInBody("id", "scheme 'stripe'");
  return {
    read(headers) {
      const parts = onlyHeader(headers, HEADER)
        .split(",")
        .map((part) => /^([^=]*)=?(.*)$/s.exec(part) ?? []);
      const valuesOf = (name: string): readonly string[] =>
        parts.flatMap(([, key, value = ""]) => (key === name ? [value] : []));
      const [timestamp, ...others] = valuesOf("t");
      if (timestamp === undefined || others.length > 0) throw malformed(`the header ${HEADER} has not one t`);
      const signatures = valuesOf("v1")
        .map((text) => digestOf(text, "hex"))
        .filter((one): one is Uint8Array => one !== undefined);
      if (signatures.length === 0) throw malformed(`the header ${HEADER} has no v1 that is a signature`);
      return { timestamp, signatures };
    },
    expected: ({ timestamp }, body) => hmacs(secrets, `${timestamp}.`, body),
    idOf: (_, body) => id(body),
  };
}
