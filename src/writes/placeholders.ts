import type { NativeItem } from "../core/write.ts";

/** Stand-ins for names and values in expressions: no name is ever read as a reserved word, a path or a function. */
export interface Placeholders {
  /** The stand-in of an attribute's whole name, dots included; the same for the same name. */
  name(attribute: string): string;
  /** A new stand-in for each value. */
  value(value: unknown): string;
  readonly ExpressionAttributeNames: Record<string, string>;
  readonly ExpressionAttributeValues: NativeItem;
}

/** The stand-ins of one request. */
export function placeholders(): Placeholders {
  const names = new Map<string, string>();
  const ExpressionAttributeNames: Record<string, string> = {};
  const ExpressionAttributeValues: NativeItem = {};
  let values = 0;
  return {
    ExpressionAttributeNames,
    ExpressionAttributeValues,
    name(attribute) {
      const known = names.get(attribute);
      if (known !== undefined) return known;
      const made = `#n${names.size}`;
      names.set(attribute, made);
      ExpressionAttributeNames[made] = attribute;
      return made;
    },
    value(value) {
      const made = `:v${values++}`;
      ExpressionAttributeValues[made] = value;
      return made;
    },
  };
}
