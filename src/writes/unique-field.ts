import { checkNames } from "../core/check.ts";
import { show } from "../core/duration.ts";
import { isPlainObject } from "../core/plain.ts";
import type { NativeItem } from "../core/write.ts";
import { hashOf } from "./hash.ts";
import { snapshot } from "./native.ts";
import { checkText, refuse } from "./options.ts";
import type { NameOf } from "./table.ts";

/** Several fields that are unique together, or one that is compared in another form. */
export interface UniqueFields<T> {
  readonly fields: NameOf<T> | readonly NameOf<T>[];
  /** What it is called in outcomes, and what keeps its values apart from those of another. Default: the fields with '+' between. */
  readonly name?: string | undefined;
  /** The form in which a value is compared, such as lower case. `undefined`: this value needs not be unique. */
  normalise?(value: T[NameOf<T>], field: string): unknown;
}

/** What no two entities may share. */
export type Unique<T> = NameOf<T> | readonly NameOf<T>[] | UniqueFields<T>;

/** The name of a unique field in outcomes. */
export type UniqueNameOf<U> = U extends string
  ? U
  : U extends { readonly name: infer N extends string }
    ? N
    : U extends { readonly fields: infer F extends string }
      ? F
      : string;

/** A unique field, checked. */
export interface Constraint {
  readonly name: string;
  readonly fields: readonly string[];
  /** What of an item must be unique, as a hash; `undefined` where a field is missing or null, which any number may share. */
  hashOf(item: NativeItem): string | undefined;
}

const BY = "putUnique()";
const ALLOWED = "a field, a list of fields, or { fields, name, normalise }";

/**
 * The unique fields that were given.
 *
 * @throws IdempotencyConfigError for an empty list, for what is no field, and for two of one name
 */
export function constraintsOf(unique: unknown): readonly Constraint[] {
  if (!Array.isArray(unique) || unique.length === 0) {
    refuse(
      BY,
      "unique",
      Array.isArray(unique) ? "an empty list" : show(unique),
      `a list of one or more, each ${ALLOWED}`,
    );
  }
  const constraints = unique.map(constraintOf);
  const names = constraints.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) refuse(BY, "unique", `a list with ${show(twice)} twice`, "each name once");
  return constraints;
}

function constraintOf(given: unknown, at: number): Constraint {
  const option = `unique[${at}]`;
  if (!isPlainObject(given)) return constraint(option, fieldsOf(option, given), undefined, undefined);
  checkNames(`${BY}: ${option}`, given, ["fields", "name", "normalise"]);
  const { fields, name, normalise } = given;
  if (name !== undefined) checkText(BY, `${option}.name`, name, "a name");
  if (normalise !== undefined && typeof normalise !== "function") {
    refuse(BY, `${option}.normalise`, show(normalise), "a function that returns the form in which values are compared");
  }
  return constraint(
    option,
    fieldsOf(`${option}.fields`, fields),
    name as string | undefined,
    normalise as ((value: unknown, field: string) => unknown) | undefined,
  );
}

function fieldsOf(option: string, given: unknown): readonly string[] {
  const fields: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (fields.length === 0) refuse(BY, option, "an empty list", ALLOWED);
  for (const field of fields) checkText(BY, option, field, ALLOWED);
  if (new Set(fields).size < fields.length) refuse(BY, option, "a list with one field twice", "each field once");
  return [...(fields as readonly string[])];
}

function constraint(
  option: string,
  fields: readonly string[],
  name = fields.join("+"),
  normalise?: ((value: unknown, field: string) => unknown) | undefined,
): Constraint {
  return {
    name,
    fields,
    hashOf(item) {
      const values: unknown[] = [];
      for (const field of fields) {
        const value: unknown = Object.hasOwn(item, field) ? item[field] : undefined;
        if (value === undefined || value === null) return undefined;
        const form = normalise === undefined ? value : normalise(value, field);
        if (form === undefined || form === null) return undefined;
        values.push(form);
      }
      return hashOf(BY, option, Object.values(snapshot({ name, values }, `${BY}: ${option}`)));
    },
  };
}
