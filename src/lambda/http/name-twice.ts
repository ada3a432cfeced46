const [QUOTE, BACKSLASH, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d];

/** Whether some object of a JSON text has a name twice. Of such a text `JSON.parse` shows the last value only. */
export function hasNameTwice(json: string): boolean {
  /** The names of the objects around, the innermost last; `undefined` for a list. */
  const around: (Set<string> | undefined)[] = [];
  for (let at = 0; at < json.length; at++) {
    const char = json.charCodeAt(at);
    if (char === OPEN) around.push(new Set());
    else if (char === OPEN_LIST) around.push(undefined);
    else if (char === CLOSE || char === CLOSE_LIST) around.pop();
    else if (char === QUOTE) {
      const from = at;
      let escaped = false;
      for (at++; json.charCodeAt(at) !== QUOTE; at++) {
        if (json.charCodeAt(at) !== BACKSLASH) continue;
        escaped = true;
        at++;
      }
      const names = around.at(-1);
      if (names === undefined || !isName(json, at + 1)) continue;
      const name = escaped ? (JSON.parse(json.slice(from, at + 1)) as string) : json.slice(from + 1, at);
      const before = names.size;
      if (names.add(name).size === before) return true;
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
