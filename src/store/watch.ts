import { isUnheard } from "../core/sendings.ts";

type Next = (args: unknown) => Promise<unknown>;

/** A command of the SDK, as far as it is watched. */
interface Watchable {
  readonly middlewareStack: {
    add(middleware: (next: Next) => Next, options: { step: "finalizeRequest"; priority: "low"; name: string }): void;
  };
}

/**
 * Sends a command by a client that tries again by itself. `$metadata.attempts` of what it rejects with is then above 1 only
 * where nobody knows what became of a try, which may still be carried out: by itself the SDK counts the throttled ones, too.
 */
export async function sendWatched<Output>(
  client: { send(command: never): unknown },
  command: unknown,
): Promise<Output> {
  let unheard = 0;
  watch(command as Watchable, () => {
    unheard += 1;
  });
  try {
    // With options of its own, so that a client that caches its middleware does not cache the watch.
    return await (client as { send(command: unknown, options: object): Promise<Output> }).send(command, {});
  } catch (error) {
    // An error that cannot be written to is somebody's own, and says nothing of tries.
    if (typeof error === "object" && error !== null && Object.isExtensible(error)) {
      const { $metadata } = error as { readonly $metadata?: object };
      Object.assign(error, { $metadata: { ...$metadata, attempts: unheard + 1 } });
    }
    throw error;
  }
}

/** Below the client's own retries: each attempt is seen, and not only the last one. */
function watch(command: Watchable, onUnheard: () => void): void {
  command.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        if (isUnheard(error)) onUnheard();
        throw error;
      }
    },
    { step: "finalizeRequest", priority: "low", name: "lambdaOnceWatch" },
  );
}
