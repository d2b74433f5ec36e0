// A library in AssemblyScript: text in, text out, with its own memory management.

export const BYTES_ID = idof<ArrayBuffer>();

/** How often each word comes, most often first: "word count" lines. */
export function count(text: ArrayBuffer): ArrayBuffer {
  const counts = new Map<string, i32>();
  const words = String.UTF8.decode(text).toLowerCase().split(" ");
  for (let i = 0; i < words.length; i++) {
    const word = words[i].trim();
    if (word.length == 0) continue;
    counts.set(word, counts.has(word) ? counts.get(word) + 1 : 1);
  }
  const names = counts.keys();
  const lines = new Array<string>();
  while (names.length > 0) {
    let best = 0;
    for (let i = 1; i < names.length; i++) {
      const more = counts.get(names[i]) - counts.get(names[best]);
      if (more > 0 || (more == 0 && names[i] < names[best])) best = i;
    }
    lines.push(names[best] + " " + counts.get(names[best]).toString());
    names.splice(best, 1);
  }
  return String.UTF8.encode(lines.join("\n"));
}

/** The sum of squares, through a callback of the host's. */
@external("host", "square")
declare function square(x: f64): f64;

export function squares(n: i32): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < n; i++) sum += square(i);
  return sum;
}

/** Fails as AssemblyScript's assertions do. */
export function at(index: i32): i32 {
  const numbers: i32[] = [1, 2, 3];
  return numbers[index];
}
