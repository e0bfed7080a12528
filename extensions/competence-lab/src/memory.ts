/** What the browser remembers; where it cannot, the panel only forgets. */

/** What was written under the key, if anything. */
export function read(key: string): string | null {
  try {
    return window.localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Remember a text. */
export function write(key: string, value: string): void {
  try {
    window.localStorage.setItem(key, value);
  } catch {
    // Without storage the panel only forgets.
  }
}
