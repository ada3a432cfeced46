/** Whether some object of a JSON text has a name twice. Of such a text `JSON.parse` shows the last value only. */
export function hasNameTwice(json: string): boolean {
  /** The names of the objects around, the innermost last; `undefined` for a list. */
  const around: (Set<string> | undefined)[] = [];
  for (let at = 0; at < json.length; at++) {
    const char = json[at];
    if (char === "{") around.push(new Set());
    else if (char === "[") around.push(undefined);
    else if (char === "}" || char === "]") around.pop();
    else if (char === '"') {
      const from = at;
      for (at++; json[at] !== '"'; at++) if (json[at] === "\\") at++;
      const names = around.at(-1);
      if (names === undefined || !isName(json, at + 1)) continue;
      const name = JSON.parse(json.slice(from, at + 1)) as string;
      if (names.has(name)) return true;
      names.add(name);
    }
  }
  return false;
}

/** Whether the string that ended before `at` is a name: a colon follows. */
function isName(json: string, at: number): boolean {
  let next = at;
  while (" \t\r\n".includes(json[next] ?? "x")) next++;
  return json[next] === ":";
}
