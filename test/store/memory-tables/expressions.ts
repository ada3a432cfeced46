import fc from "fast-check";

/** A part of an expression: text, or a value that gets a placeholder of its own. */
type Part = string | { readonly value: unknown };
type Parts = readonly Part[];

/** An expression in the shape of a request. */
export interface Expression {
  readonly text: string;
  readonly values: Readonly<Record<string, unknown>>;
}

const names = ["s", "n", "b", "l", "m", "ss", "ns", "x"] as const;

const text = fc.constantFrom("", "a", "ab", "b", "é", "\uffff", "𝒳");
const number = fc.constantFrom(0, 1, -1, 2, 2.5, 0.1, 0.2, 1e-7, 9007199254740991, 10n ** 20n, -(10n ** 37n), 7n);
const bytes = fc.constantFrom([], [1], [1, 2], [2], [255]).map((list) => new Uint8Array(list));
const textSet = fc.uniqueArray(text, { minLength: 1, maxLength: 3 }).map((list) => new Set(list));
const numberSet = fc
  .uniqueArray(fc.constantFrom(0, 1, 2, 0.1), { minLength: 1, maxLength: 3 })
  .map((list) => new Set<number | bigint>(list))
  .map((set) => (set.has(2) ? new Set([10n ** 20n, ...set]) : set));
const byteSet = bytes.map((one) => new Set([one, new Uint8Array([9, 9])]));

const { value } = fc.letrec<{ value: unknown; list: unknown[]; map: Record<string, unknown> }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2, depthIdentifier: "value" },
    text,
    number,
    bytes,
    fc.boolean(),
    fc.constant(null),
    textSet,
    numberSet,
    byteSet,
    tie("list"),
    tie("map"),
  ),
  list: fc.array(tie("value"), { maxLength: 3, depthIdentifier: "value" }),
  map: fc.dictionary(fc.constantFrom(...names), tie("value"), {
    maxKeys: 3,
    depthIdentifier: "value",
    noNullPrototype: true,
  }),
}));
const list = fc.array(value, { maxLength: 3 });
const map = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 3, noNullPrototype: true });

/** Any attribute may be absent; most are there, and of the type that their name says. */
export const attributes: fc.Arbitrary<Record<string, unknown>> = fc
  .record({
    s: mostly(text),
    n: mostly(number),
    b: mostly(bytes),
    l: mostly(list),
    m: mostly(map),
    ss: mostly(textSet),
    ns: mostly(numberSet),
  })
  .map((item) => Object.fromEntries(Object.entries(item).filter(([, one]) => one !== undefined)));

function mostly(typed: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 7, arbitrary: typed },
    { weight: 1, arbitrary: value },
    { weight: 2, arbitrary: fc.constant(undefined) },
  );
}

const step = fc.oneof(
  fc.constantFrom(...names).map((name) => `.${name}`),
  fc.constantFrom(0, 1, 2, 7).map((index) => `[${index}]`),
);
/** Sometimes by the placeholder `#s` of the name `s`; the test gives those that stand in the text. */
const name = fc.tuple(fc.constantFrom(...names), fc.nat(5)).map(([one, by]) => (by === 0 ? `#${one}` : one));
const path: fc.Arbitrary<Part> = fc
  .tuple(name, fc.array(step, { maxLength: 2, size: "xsmall" }))
  .map(([first, steps]) => first + steps.join(""));

const literal = (of: fc.Arbitrary<unknown>): fc.Arbitrary<Parts> => of.map((one) => [{ value: one }]);
const word = (one: string): fc.Arbitrary<string> => fc.constantFrom(one, one, one, one.toLowerCase());
/** In parentheses now and then, rarely in those too many that DynamoDB refuses. */
const wrap = (parts: fc.Arbitrary<Parts>): fc.Arbitrary<Parts> =>
  fc.tuple(parts, fc.nat(39)).map(([inner, by]) => {
    if (by === 39) return ["(", "(", ...inner, ")", ")"];
    return by < 4 ? ["(", ...inner, ")"] : inner;
  });
const call = (one: string, ...args: fc.Arbitrary<Parts>[]): fc.Arbitrary<Parts> =>
  fc.tuple(...args).map((given) => [one, "(", ...given.flatMap((arg, at) => (at === 0 ? arg : [",", ...arg])), ")"]);
const sequence = (...parts: fc.Arbitrary<Parts | Part>[]): fc.Arbitrary<Parts> =>
  fc.tuple(...parts).map((all) => all.flat());

const pathOperand = path.map((one): Parts => [one]);
const operand = wrap(
  fc.oneof(
    { weight: 6, arbitrary: pathOperand },
    { weight: 4, arbitrary: literal(fc.oneof(text, number, bytes)) },
    { weight: 2, arbitrary: literal(value) },
    { weight: 1, arbitrary: call("size", pathOperand) },
  ),
);

const { condition } = fc.letrec<{ condition: Parts; test: Parts }>((tie) => ({
  condition: wrap(
    fc.oneof(
      { maxDepth: 3, depthIdentifier: "condition" },
      { weight: 6, arbitrary: tie("test") },
      { weight: 1, arbitrary: sequence(tie("condition"), word("AND"), tie("condition")) },
      { weight: 1, arbitrary: sequence(tie("condition"), word("OR"), tie("condition")) },
      { weight: 1, arbitrary: sequence(word("NOT"), tie("condition")) },
    ),
  ),
  test: fc.oneof(
    { weight: 4, arbitrary: sequence(operand, fc.constantFrom("=", "<>", "<", "<=", ">", ">="), operand) },
    sequence(operand, word("BETWEEN"), operand, word("AND"), operand),
    sequence(operand, word("IN"), fc.constant("("), operand, fc.constant(","), operand, fc.constant(")")),
    call("attribute_exists", pathOperand),
    call("attribute_not_exists", pathOperand),
    call(
      "attribute_type",
      operand,
      literal(fc.constantFrom("S", "N", "BOOL", "NULL", "B", "L", "M", "SS", "NS", "BS")),
    ),
    call("begins_with", operand, operand),
    { weight: 2, arbitrary: call("contains", operand, operand) },
  ),
}));

/** ConditionExpressions, most of them valid. */
export const conditions: fc.Arbitrary<Expression> = condition.map(expression);

/** What an update writes to: mostly a whole attribute, then one level down. */
const target: fc.Arbitrary<Part> = fc.oneof(
  { weight: 6, arbitrary: name },
  { weight: 4, arbitrary: fc.constantFrom("m.x", "m.n", "m.s", "l[0]", "l[1]", "l[2]", "l[7]", "l[9]") },
  { weight: 1, arbitrary: path },
);
const rarely = (usual: fc.Arbitrary<Parts>): fc.Arbitrary<Parts> =>
  fc.oneof({ weight: 7, arbitrary: usual }, { weight: 1, arbitrary: pathOperand });
const numeric = rarely(fc.oneof(fc.constantFrom<Parts>(["n"], ["#n"]), literal(number)));
const listed = rarely(fc.oneof(fc.constantFrom<Parts>(["l"], ["#l"]), literal(list)));
const orElse = (of: fc.Arbitrary<Parts>): fc.Arbitrary<Parts> =>
  fc.oneof({ weight: 3, arbitrary: of }, call("if_not_exists", pathOperand, of));
const right = wrap(
  fc.oneof(
    { weight: 3, arbitrary: literal(value) },
    orElse(fc.constantFrom(...names).map((one) => [one === "s" || one === "x" ? `#${one}` : one])),
    { weight: 3, arbitrary: sequence(wrap(orElse(numeric)), fc.constantFrom("+", "-"), wrap(orElse(numeric))) },
    { weight: 2, arbitrary: call("list_append", orElse(listed), orElse(listed)) },
    call("if_not_exists", pathOperand, literal(value)),
  ),
);
const several = (action: fc.Arbitrary<Parts>): fc.Arbitrary<Parts> =>
  fc
    .array(action, { minLength: 1, maxLength: 2 })
    .map((all) => all.flatMap((one, at) => (at === 0 ? one : [",", ...one])));
const section = (of: string, action: fc.Arbitrary<Parts>): fc.Arbitrary<Parts> => sequence(word(of), several(action));

const sets = fc.oneof<fc.Arbitrary<unknown>[]>(textSet, numberSet, byteSet);
const sections = [
  section("SET", sequence(target, fc.constant("="), right)),
  section("REMOVE", sequence(target)),
  section(
    "ADD",
    fc.oneof(
      sequence(fc.constantFrom("n", "x", "m.n"), literal(number)),
      sequence(fc.constant("ss"), literal(textSet)),
      sequence(target, literal(fc.oneof(number, sets))),
    ),
  ),
  section(
    "DELETE",
    fc.oneof(
      sequence(fc.constant("ss"), literal(textSet)),
      sequence(fc.constant("ns"), literal(numberSet)),
      sequence(target, literal(sets)),
    ),
  ),
];

/** UpdateExpressions, most of them valid. */
export const updates: fc.Arbitrary<Expression> = fc
  .oneof(
    { weight: 3, arbitrary: sections[0] as fc.Arbitrary<Parts> },
    fc.oneof(...sections),
    fc
      .shuffledSubarray([0, 1, 2, 3], { minLength: 2 })
      .chain((order) => sequence(...order.map((at) => sections[at] as fc.Arbitrary<Parts>))),
  )
  .map(expression);

function expression(parts: Parts): Expression {
  const values: Record<string, unknown> = {};
  const texts = parts.map((part) => {
    if (typeof part === "string") return part;
    const placeholder = `:v${Object.keys(values).length}`;
    values[placeholder] = part.value;
    return placeholder;
  });
  return { text: texts.join(" "), values };
}

/** The fields of a request for these expressions, which share their placeholders. */
export function fields(given: {
  readonly ConditionExpression?: Expression;
  readonly UpdateExpression?: Expression;
}): Record<string, unknown> {
  const request: Record<string, unknown> = {};
  const values: Record<string, unknown> = {};
  const placeholders = new Set<string>();
  for (const [field, one] of Object.entries(given)) {
    if (one === undefined) continue;
    const prefix = `:${field.slice(0, 1)}`;
    request[field] = one.text.replaceAll(":v", prefix);
    for (const [placeholder, value] of Object.entries(one.values)) values[placeholder.replace(":v", prefix)] = value;
    for (const [placeholder] of one.text.matchAll(/#\w+/g)) placeholders.add(placeholder);
  }
  if (Object.keys(values).length > 0) request["ExpressionAttributeValues"] = values;
  if (placeholders.size > 0) {
    request["ExpressionAttributeNames"] = Object.fromEntries([...placeholders].map((one) => [one, one.slice(1)]));
  }
  return request;
}
