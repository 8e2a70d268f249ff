/** What is left of a suggestion while the user types along; on strings alone. */

/** The text before each character behind the cursor that the suggestion replaces, and after the last of them. */
export type Rest = readonly string[];

/**
 * What is left of a suggestion.
 *
 * @param text the suggestion.
 * @param typed what stands between its start and the cursor.
 * @param tail what stands between the cursor and its end, for example brackets that the editor has closed.
 * @returns null if this is not how the suggestion goes on.
 */
export function restOf(text: string, typed: string, tail: string): Rest | null {
  if (!text.startsWith(typed) || text.length === typed.length) return null;
  const left = text.slice(typed.length);
  const end = left.indexOf("\n");
  if (end < 0) return split(left, tail);
  // What is closed on this line is best drawn on this line.
  const parts = split(left.slice(0, end), tail);
  return parts ? [...parts.slice(0, -1), parts.at(-1) + left.slice(end)] : split(left, tail);
}

/** The text around the characters of the tail, taken where they occur last; null if they do not, in their order. */
function split(left: string, tail: string): string[] | null {
  const parts: string[] = [];
  let end = left.length;
  for (const character of tail.split("").reverse()) {
    const at = end > 0 ? left.lastIndexOf(character, end - 1) : -1;
    if (at < 0) return null;
    parts.unshift(left.slice(at + 1, end));
    end = at;
  }
  return [left.slice(0, end), ...parts];
}

/** How many characters behind the cursor are among the first `length` characters of what is left. */
export function covered(rest: Rest, length: number): number {
  let count = 0;
  let written = rest[0]?.length ?? 0;
  while (written < length && count < rest.length - 1) {
    count += 1;
    written += 1 + (rest[count]?.length ?? 0);
  }
  return count;
}

/** The length of the next word, with the white space before it. */
export function wordLength(left: string): number {
  return /^\s*(?:[\p{L}\p{N}_]+|[^\p{L}\p{N}_\s]+)/u.exec(left)?.[0].length ?? left.length;
}

/** The length of what is left of the line; at its end, of the next line that is not blank. */
export function lineLength(left: string): number {
  return /^\s*\n[^\n]*|^[^\n]+/.exec(left)?.[0].length ?? left.length;
}
