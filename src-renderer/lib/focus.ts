/** Where the keyboard goes on from when what had the focus is gone. */

/** Gives the focus to the page's heading unless something else has it. */
export function toHeadingIfLost(): void {
  if (document.activeElement === document.body) toHeading();
}

export function toHeading(): void {
  document.querySelector<HTMLElement>('main h1')?.focus();
}
