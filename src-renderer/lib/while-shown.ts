/** Work that a page does again and again, only while somebody can look at it: a hidden one rests, and catches up once it is shown. */

export interface Repeated {
  /** Asks at once, or right after the question that is under way. */
  hurry(): void;
  end(): void;
}

/**
 * Asks now and again; each answer says in how many ms the next question is due. `ask` must not throw. While the page is hidden
 * nothing is asked; what became due meanwhile is asked as soon as it is shown.
 */
export function repeatWhileShown(ask: () => Promise<number>): Repeated {
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** of performance.now() */
  let dueAt = performance.now();
  let asking = false;
  let hurried = false;
  let ended = false;

  function plan(): void {
    clearTimeout(timer);
    if (ended || asking || document.hidden) return;
    timer = setTimeout(() => void turn(), Math.max(0, dueAt - performance.now()));
  }
  async function turn(): Promise<void> {
    asking = true;
    hurried = false;
    const ms = await ask();
    asking = false;
    dueAt = performance.now() + (hurried ? 0 : ms);
    plan();
  }

  document.addEventListener('visibilitychange', plan);
  plan();
  return {
    hurry() {
      hurried = true;
      dueAt = performance.now();
      plan();
    },
    end() {
      ended = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', plan);
    },
  };
}

/** Once the page is shown; at once where it is. Aborted: at once, too. */
export function whenShown(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (!document.hidden || signal.aborted) {
      resolve();
      return;
    }
    function look(): void {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener('visibilitychange', look);
      signal.removeEventListener('abort', look);
      resolve();
    }
    document.addEventListener('visibilitychange', look);
    signal.addEventListener('abort', look);
  });
}
