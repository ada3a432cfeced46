import { Buffer } from "node:buffer";
import { Webhook } from "standardwebhooks";
import { textOf } from "./body.ts";
import { malformed, onlyHeader } from "./headers.ts";
import { type Claimed, digestOf, type Scheme } from "./scheme.ts";

/**
 * Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,<base64> v1,<base64>`; signed is
 * `<id>.<timestamp>.<body>`, all of which the library computes. Its `verify()` is not used: it reads the machine's clock, has one
 * tolerance, takes `123abc` for 123, and every byte that is not UTF-8 for the same character.
 */
export function standardScheme(secrets: readonly Uint8Array[]): Scheme {
  const webhooks = secrets.map((secret) => new Webhook(secret, { format: "raw" }));
  return {
    read(headers) {
      const id = onlyHeader(headers, "webhook-id");
      // The specification: a full stop in an id would let its rest be taken for the time.
      if (!/^[\x21-\x2d\x2f-\x7e]{1,255}$/.test(id)) {
        throw malformed("the header webhook-id is not 1 to 255 visible ASCII characters without a full stop");
      }
      const signatures = onlyHeader(headers, "webhook-signature").split(" ").flatMap(signatureOf);
      if (signatures.length === 0) throw malformed("the header webhook-signature has no signature of version v1");
      return { id, timestamp: onlyHeader(headers, "webhook-timestamp"), signatures };
    },
    *expected({ id, timestamp }, body) {
      const text = textOf(body);
      if (text === undefined) throw malformed("the body is not UTF-8");
      const at = new Date(Number(timestamp) * 1000);
      for (const webhook of webhooks)
        yield Buffer.from(webhook.sign(id as string, at, text).slice("v1,".length), "base64");
    },
    idOf: ({ id }: Claimed) => id as string,
  };
}

/** Other versions (`v1a`, the asymmetric one) may stand beside ours. */
function signatureOf(versioned: string): readonly Uint8Array[] {
  const signature = versioned.startsWith("v1,") ? digestOf(versioned.slice("v1,".length), "base64") : undefined;
  return signature === undefined ? [] : [signature];
}
