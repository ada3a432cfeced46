/** How many levels a value may nest: far beyond any real event, far from the end of the stack. */
export const DEEPEST = 512;

/** An object of any kind, and no array. */
export const isRecord = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Whether `value` is an object as JSON knows it: made by a literal, by `JSON.parse` or with a null
 * prototype, also in another realm (a `vm` context). Class instances, boxed primitives, `Map` are not.
 */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (!isRecord(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || isRoot(prototype as object);
}

/** Whether `value` is an array and not an instance of a class derived from it, also in another realm. */
export function isPlainArray(value: unknown): value is readonly unknown[] {
  if (!Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Array.prototype) return true;
  // Array.prototype is itself an array in every realm; the prototype of a derived class is not.
  return Array.isArray(prototype) && isRoot(Object.getPrototypeOf(prototype) as object | null);
}

/** An Object.prototype, of whichever realm. */
function isRoot(prototype: object | null): boolean {
  return prototype !== null && Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");
}

/**
 * The place that `steps` lead to, such as `$.items[2].at`, fit for a message: at most 120 characters, and only names
 * that look like names. Others may be data (an e-mail address, a card's number) and are left out: `$.cards[…]`.
 */
export function pathOf(steps: Iterable<string | number>): string {
  let path = "$";
  for (const step of steps) {
    if (typeof step === "number") path += `[${step}]`;
    else path += /^[A-Za-z_$][\w$-]{0,39}$/.test(step) ? `.${step}` : "[…]";
    if (path.length > 120) return `${path.slice(0, 120)}…`;
  }
  return path;
}

/** What a value is, in a word for an error's sentence, without any of its contents. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return isPlainArray(value) ? "an array" : "an instance of a class derived from Array";
  if (typeof value !== "object") return typeof value === "bigint" ? "a BigInt" : `a ${typeof value}`;
  if (isPlainObject(value)) return "an object";
  try {
    const name: unknown = (Object.getPrototypeOf(value) as { constructor?: { name?: unknown } }).constructor?.name;
    if (typeof name === "string" && /^\w{1,40}$/.test(name) && name !== "Object") return `an instance of ${name}`;
  } catch {
    // A proxy or an accessor that throws has no better word than the one below.
  }
  return "an instance of a class";
}
