/**
 * Stands in for `rapid-client.node`, the native half of AWS's Runtime Interface Client: the same four functions over
 * node:http. `--require`d into every execution environment, before the client itself.
 */
const http = require("node:http");
const Module = require("node:module");

const [hostname, port] = String(process.env.AWS_LAMBDA_RUNTIME_API).split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

/** The native `done` and `error` block until the answer is there; here whatever comes next waits for `sent`. */
let sent = Promise.resolve();
let sending = 0;

function call(method, path, headers, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { hostname, port, agent, method, path: `/2018-06-01/runtime/${path}`, headers },
      (response) => {
        const chunks = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () => resolve({ bodyJson: Buffer.concat(chunks).toString(), headers: response.headers }));
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

function post(path, headers, body) {
  sending += 1;
  const length = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  sent = sent
    .then(() => call("POST", path, { ...length, ...headers }, body))
    .catch(() => {})
    .then(() => {
      sending -= 1;
    });
}

const client = {
  initializeUserAgent() {},
  async next() {
    await sent;
    return call("GET", "invocation/next", {});
  },
  done: (id, body) => post(`invocation/${id}/response`, {}, body),
  error(id, body, cause) {
    const headers = { "lambda-runtime-function-xray-error-cause": encodeURIComponent(cause).slice(0, 4_000) };
    post(`invocation/${id}/error`, headers, body);
  },
};

/** After an uncaught exception the runtime reports it and exits at once: the report has to leave first. */
const { exit } = process;
process.exit = (code) => {
  if (sending === 0) return exit.call(process, code);
  sent.then(() => exit.call(process, code));
};

const load = Module._load;
Module._load = function (request, ...rest) {
  return request.endsWith("rapid-client.node") ? client : load.call(this, request, ...rest);
};
