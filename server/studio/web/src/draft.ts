/** Drafts outlive a reload of the page: what is not saved is kept by the browser. */
export interface Kept {
  text: string;
  base: string; // what was on the disk when the draft began
  revision: string;
}

const key = (file: string) => "sluice.draft." + file;

export function keepDraft(file: string, draft: Kept | null) {
  try {
    if (draft) localStorage.setItem(key(file), JSON.stringify(draft));
    else localStorage.removeItem(key(file));
  } catch {
    // Without storage a reload asks before it forgets, as below.
  }
}

export function keptDraft(file: string): Kept | null {
  try {
    const found = localStorage.getItem(key(file));
    return found ? (JSON.parse(found) as Kept) : null;
  } catch {
    return null;
  }
}

/** drafts lists the files that have one. */
export function drafts(): string[] {
  const start = key("");
  try {
    return Object.keys(localStorage).filter((k) => k.startsWith(start)).map((k) => k.slice(start.length));
  } catch {
    return [];
  }
}
