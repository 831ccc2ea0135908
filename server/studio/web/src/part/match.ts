/**
 * score tells how well a text fits what was typed: all words must be in it; the
 * beginning of the text, and of a word of it, count most. 0 is no match.
 */
export function score(text: string, typed: string): number {
  const low = text.toLowerCase();
  let sum = 0;
  for (const word of typed.toLowerCase().split(/\s+/)) {
    if (!word) continue;
    const at = low.indexOf(word);
    if (at < 0) return 0;
    const starts = at === 0 || /[^a-z0-9]/.test(low[at - 1] ?? "");
    sum += (at === 0 ? 100 : starts ? 80 : 50) - Math.min(at, 30) / 2 - Math.min(low.length, 60) / 10;
  }
  return Math.max(sum, 1);
}
