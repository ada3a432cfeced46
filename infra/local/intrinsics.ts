import type { Template } from "./assembly.ts";

/** What the intrinsic functions of a template stand for on this machine. */
export interface Meaning {
  /** `Ref` of a resource, without an attribute, or `Fn::GetAtt`. */
  attribute(logicalId: string, attribute?: string): string;
  /** A secret's whole text, by its ARN or name. */
  secret(id: string): string | undefined;
  readonly pseudo: Readonly<Record<string, string>>;
}

/** Replaces every intrinsic function in a value from the template. */
export type Resolve = (value: unknown) => unknown;

type Part = (argument: unknown) => unknown;

/** The resolver of one template. An intrinsic function that it does not know is an error that names it. */
export function resolver(template: Template, meaning: Meaning): Resolve {
  const resolve: Resolve = (value) => {
    if (typeof value === "string") return dynamic(value, meaning);
    if (Array.isArray(value)) return value.map(resolve).filter((item) => item !== undefined);
    if (typeof value !== "object" || value === null) return value;
    const [[name = "", argument] = [], ...others] = Object.entries(value);
    const intrinsic = others.length === 0 && (name === "Ref" || name === "Condition" || name.startsWith("Fn::"));
    if (intrinsic) return dynamic(call(name, argument), meaning);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item)]));
  };

  const reference = (name: string): unknown => {
    if (name === "AWS::NoValue") return undefined;
    const known = meaning.pseudo[name] ?? template.Parameters?.[name]?.Default;
    if (known !== undefined) return known;
    if (template.Resources[name] === undefined)
      throw new Error(`the template refers to ${name}, which it does not have`);
    return meaning.attribute(name);
  };

  const parts: Readonly<Record<string, Part>> = {
    Ref: (name) => reference(String(name)),
    Condition: (name) => resolve(template.Conditions?.[String(name)]),
    "Fn::GetAtt": (argument) => {
      const [id = "", ...attribute] = typeof argument === "string" ? argument.split(".") : (argument as string[]);
      return meaning.attribute(id, attribute.join("."));
    },
    "Fn::Join": (argument) => {
      const [separator, items] = argument as [string, unknown];
      return (resolve(items) as unknown[]).join(separator);
    },
    "Fn::Sub": (argument) => {
      const [text, own = {}] = (typeof argument === "string" ? [argument] : argument) as [
        string,
        Record<string, unknown>?,
      ];
      return text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
        if (literal !== "") return `\${${name}}`;
        if (name in own) return String(resolve(own[name]));
        return String(name.includes(".") ? parts["Fn::GetAtt"]?.(name) : reference(name));
      });
    },
    "Fn::Select": (argument) => {
      const [index, items] = argument as [unknown, unknown];
      return (resolve(items) as unknown[])[Number(resolve(index))];
    },
    "Fn::Split": (argument) => {
      const [separator, text] = argument as [string, unknown];
      return String(resolve(text)).split(separator);
    },
    "Fn::FindInMap": (argument) => {
      const [map = "", top = "", second = ""] = (resolve(argument) as unknown[]).map(String);
      return (template.Mappings as Record<string, Record<string, Record<string, unknown>>>)?.[map]?.[top]?.[second];
    },
    "Fn::If": (argument) => {
      const [condition, yes, no] = argument as [string, unknown, unknown];
      return resolve(resolve(template.Conditions?.[condition]) === true ? yes : no);
    },
    "Fn::Equals": (argument) => {
      const [left, right] = resolve(argument) as [unknown, unknown];
      return String(left) === String(right);
    },
    "Fn::Not": (argument) => (resolve(argument) as unknown[])[0] !== true,
    "Fn::And": (argument) => (resolve(argument) as unknown[]).every((item) => item === true),
    "Fn::Or": (argument) => (resolve(argument) as unknown[]).some((item) => item === true),
  };

  const call = (name: string, argument: unknown): unknown => {
    const part = parts[name];
    if (part === undefined) throw new Error(`the template uses ${name}, which the local stack does not know`);
    return part(argument);
  };
  return resolve;
}

/** Replaces `{{resolve:secretsmanager:...}}`. */
function dynamic(value: unknown, meaning: Meaning): unknown {
  if (typeof value !== "string" || !value.includes("{{resolve:")) return value;
  return value.replace(/\{\{resolve:([^:}]+):([^}]+)\}\}/g, (whole, service: string, rest: string) => {
    const parts = rest.split(":");
    const id = parts.splice(0, rest.startsWith("arn:") ? 7 : 1).join(":");
    const text = service === "secretsmanager" ? meaning.secret(id) : undefined;
    if (text === undefined) throw new Error(`the template reads ${whole}, which it does not make itself`);
    const key = parts[1] ?? "";
    return key === "" ? text : String((JSON.parse(text) as Record<string, unknown>)[key]);
  });
}
