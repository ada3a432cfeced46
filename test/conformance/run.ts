/**
 * Checks an HTTP endpoint against draft-ietf-httpapi-idempotency-key-header-07: `npm run conformance -- URL`. The endpoint
 * carries each operation out for real. Exit code 0: it conforms; 1: it does not; 2: the arguments are wrong.
 */
import { parseArgs } from "node:util";
import type { Target } from "./exchange.ts";
import { checkAll, conforms, tableOf } from "./suite.ts";

const USAGE = `npm run conformance -- URL [options]

  --method POST                the method of the operation
  --body '{"conformance":1}'   a JSON body that the endpoint accepts
  --other '{"conformance":2}'  another one, for a different operation
  --header 'Name: value'       sent with every request; may be repeated (Authorization)`;

const target = targetOf(process.argv.slice(2));
if (typeof target === "string") {
  console.error(`${target}\n\n${USAGE}`);
  process.exitCode = 2;
} else {
  const verdicts = await checkAll(target);
  console.log(tableOf(verdicts));
  process.exitCode = conforms(verdicts) ? 0 : 1;
}

/** The target that the arguments name, or what is wrong with them. */
function targetOf(args: string[]): Target | string {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        method: { type: "string", default: "POST" },
        body: { type: "string", default: '{"conformance":1}' },
        other: { type: "string", default: '{"conformance":2}' },
        header: { type: "string", multiple: true, default: [] },
      },
    });
    const [url, ...more] = positionals;
    if (url === undefined || more.length > 0 || !/^https?:$/.test(new URL(url).protocol)) return "one URL is needed";
    JSON.parse(values.body);
    JSON.parse(values.other);
    const headers = values.header.map((header) => [
      header.replace(/:.*/s, "").trim(),
      header.replace(/^[^:]*:/, "").trim(),
    ]);
    return {
      url,
      method: values.method,
      body: values.body,
      otherBody: values.other,
      headers: Object.fromEntries(headers),
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
