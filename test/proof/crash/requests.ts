/** One request to DynamoDB: what it is for, and about which record. */
export interface Named {
  /** Such as `UpdateItem complete`. */
  readonly name: string;
  /** The record's id; `undefined` for a request that is about none. */
  readonly record: string | undefined;
}

type Attribute = { readonly S?: string; readonly M?: Readonly<Record<string, Attribute>> };
type Attributes = Readonly<Record<string, Attribute>>;

interface Input {
  readonly Key?: Attributes;
  readonly Item?: Attributes;
  readonly UpdateExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Attributes;
  readonly TransactItems?: readonly { readonly Put?: Input; readonly Update?: Input }[];
}

/** What an engine's request is for, read from what it says. */
export function nameOf(operation: string, body: Buffer): Named {
  const input = JSON.parse(body.toString()) as Input;
  const own =
    input.TransactItems === undefined ? input : (input.TransactItems[0]?.Update ?? input.TransactItems[0]?.Put);
  return { name: `${operation} ${purposeOf(operation, input)}`, record: (own?.Key ?? own?.Item)?.["id"]?.S };
}

function purposeOf(operation: string, input: Input): string {
  switch (operation) {
    case "PutItem":
      return "claim";
    case "GetItem":
      return "read";
    case "DeleteItem":
      return "release";
    case "TransactWriteItems":
      return "commit";
    default:
      return purposeOfUpdate(input);
  }
}

function purposeOfUpdate({
  UpdateExpression = "",
  ExpressionAttributeNames = {},
  ExpressionAttributeValues = {},
}: Input): string {
  if (UpdateExpression.includes("#attempt = ")) return "takeover";
  if (":released" in ExpressionAttributeValues) return "release";
  if (":at" in ExpressionAttributeValues) return "complete";
  const step = ExpressionAttributeNames["#name"];
  if (step === undefined || !UpdateExpression.startsWith("SET #steps")) return "renew";
  return JSON.stringify(ExpressionAttributeValues[":step"]).includes('"started"') ? `begin ${step}` : `step ${step}`;
}
