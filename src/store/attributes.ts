/** One attribute's value in DynamoDB's own JSON; bytes are bytes, a transport makes base64 of them. */
export type AttributeValue =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: Uint8Array }
  | { readonly M: Item }
  | { readonly L: readonly AttributeValue[] }
  | { readonly BOOL: boolean }
  | { readonly NULL: boolean }
  | { readonly SS: readonly string[] }
  | { readonly NS: readonly string[] }
  | { readonly BS: readonly Uint8Array[] };

/** A raw item: attribute name to value. */
export interface Item {
  readonly [name: string]: AttributeValue;
}

/** A string attribute. */
export const text = (value: string): { readonly S: string } => ({ S: value });

/** A number attribute. */
export const number = (value: number): { readonly N: string } => ({ N: String(value) });

/** A string or a binary attribute. The bytes are copied: the caller's may change before they are sent. */
export const data = (value: string | Uint8Array): AttributeValue =>
  typeof value === "string" ? { S: value } : { B: new Uint8Array(value) };
