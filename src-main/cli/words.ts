/** What Electron's own program is asked for: a command of ours, the engine without a window, or the window. Pure. */

/** Chromium's and Node's own, which stand beside our words when Electron runs us. */
const notOurs =
  /^--(?:ozone-|disable-|enable-|no-sandbox|inspect|remote-|user-data-dir|force-|lang=|type=|allow-|original-)/;

/**
 * @param given the words after the program
 * @returns the words after `estepe`; null: the window is meant
 */
export function commandWords(given: readonly string[]): string[] | null {
  const words = given.filter((word) => !notOurs.test(word));
  if (words.includes('--headless')) return ['serve', ...words.filter((word) => word !== '--headless')];
  const [first = ''] = words;
  // A file (`electron out/main/main.js`), an address and a switch of somebody else's are no commands.
  return /^[a-z][a-z-]*$/.test(first) || first === '--help' || first === '--version' ? words : null;
}
