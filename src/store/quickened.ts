/** A name that no configuration has, so that nothing of a user's runs when it is looked for. */
const NOTHING = Symbol("nothing");

/**
 * The same client, faster: the SDK copies its configuration several times for each request, and has put it together one property
 * after the other, so that V8 keeps it as a dictionary, whose copies take ten times longer. V8 makes an ordinary object of
 * what others inherit from, once code that it has seen a few times looks something up through them. Nothing else changes.
 */
export function quickened<Client extends object>(client: Client): Client {
  try {
    const config: unknown = Object.getOwnPropertyDescriptor(client, "config")?.value;
    if (typeof config !== "object" || config === null) return client;
    const heir = Object.create(config) as { readonly [NOTHING]?: unknown };
    for (let look = 0; look < 100; look++) void heir[NOTHING];
  } catch {
    // A proxy that lets nobody look.
  }
  return client;
}

/** What of a stack of the SDK's middleware is used here: each of its steps is a function around the next one. */
interface MiddlewareStack {
  applyToStack(other: { add(middleware: Middleware, options: Options): void; addRelativeTo(): void }): void;
  add(middleware: Middleware, options: Options): void;
}

type Middleware = (next: Handler, context: never) => Handler;
type Handler = (args: { readonly request: { readonly headers: Headers } }) => Promise<unknown>;
type Headers = Record<string, string>;
/** A step with its name and its place. */
interface Options {
  readonly middleware: Middleware;
  readonly name?: string;
  readonly override?: boolean;
}

/**
 * Lets the SDK put its user agent together once for each kind of command, and not anew for each request: it tells of the client and the
 * machine, and of where the credentials came from at that time. It is the SDK's own middleware that does it, and the headers are
 * those. What is sent with options of its own resolves its middleware anew, and begins anew with this, too.
 */
export function rememberUserAgent(stack: MiddlewareStack): void {
  let remembering: Options | undefined;
  stack.applyToStack({
    add(original, options) {
      if (options.name !== "getUserAgentMiddleware") return;
      const middleware: Middleware = (next, context) => {
        let known: Headers | undefined;
        const asking = original((args) => {
          const told = Object.entries(args.request.headers).filter(([name]) => name.endsWith("user-agent"));
          known = Object.fromEntries(told);
          return next(args);
        }, context);
        return (args) => {
          if (known === undefined) return asking(args);
          Object.assign(args.request.headers, known);
          return next(args);
        };
      };
      remembering = { ...options, middleware, override: true };
    },
    addRelativeTo() {},
  });
  if (remembering !== undefined) stack.add(remembering.middleware, remembering);
}
