import type { ApiModel, RouteModel, StageModel } from "./api-model.ts";

/** Where a path leads in an API. */
export type Found =
  | {
      readonly kind: "route";
      readonly stage: StageModel;
      readonly route: RouteModel;
      readonly path: string;
      readonly parameters: Parameters;
    }
  | { readonly kind: "no stage" | "no route" | "malformed" };

type Parameters = Readonly<Record<string, string>> | null;

/** Finds the stage and the route of a request: what is spelled out goes before `{id}`, that before `{proxy+}`. */
export function findRoute(api: ApiModel, method: string, fullPath: string): Found {
  const [, first = "", rest = ""] = /^\/([^/]*)(.*)$/.exec(fullPath) ?? [];
  const named = api.stages.find(({ name }) => name === first);
  const stage = named ?? api.stages.find(({ name }) => name === "$default");
  if (stage === undefined) return { kind: "no stage" };
  const path = named === undefined ? fullPath : rest || "/";

  let segments: readonly string[];
  try {
    segments = split(path).map(decodeURIComponent);
  } catch {
    return { kind: "malformed" };
  }
  const candidates = api.routes
    .filter((route) => route.method === method || route.method === "ANY")
    .map((route) => ({ route, parameters: match(split(route.path), segments) }))
    .filter(({ route, parameters }) => parameters !== undefined || route.path === "$default")
    .sort((a, b) => rank(a.route).localeCompare(rank(b.route)));
  const [best] = candidates;
  if (best === undefined) return { kind: "no route" };
  const parameters = Object.keys(best.parameters ?? {}).length === 0 ? null : (best.parameters ?? null);
  return { kind: "route", stage, route: best.route, path, parameters };
}

function split(path: string): readonly string[] {
  return path.split("/").filter((segment) => segment !== "");
}

function match(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  const parameters: Record<string, string> = {};
  for (const [at, part] of pattern.entries()) {
    const [, name, greedy] = /^\{([^}+]+)(\+?)\}$/.exec(part) ?? [];
    if (name !== undefined && greedy === "+") {
      if (segments.length <= at) return undefined;
      return { ...parameters, [name]: segments.slice(at).join("/") };
    }
    const segment = segments[at];
    if (segment === undefined || (name === undefined && part !== segment)) return undefined;
    if (name !== undefined) parameters[name] = segment;
  }
  return segments.length === pattern.length ? parameters : undefined;
}

function rank({ path, method }: RouteModel): string {
  if (path === "$default") return "9";
  const kinds = split(path).map((part) => (part.endsWith("+}") ? "2" : part.startsWith("{") ? "1" : "0"));
  return `0${kinds.join("")}${method === "ANY" ? "1" : "0"}`;
}
