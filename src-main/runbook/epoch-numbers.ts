/**
 * Which epoch is claimed next. Of those that end in 8 or 9 each node has its own, for a claim that the other node cannot see: whatever the
 * other one claims meanwhile, and be it cut off from everything, no epoch ever belongs to both. Of two nodes that took over unseen by each
 * other one then has the higher epoch, and the other one stands down when it sees it.
 */
const apart = 10;
const ownDigit = { first: 8, second: 9 } as const;
export type Half = keyof typeof ownDigit;

const isOwn = (epoch: number): boolean => Object.values(ownDigit).some((digit) => digit === epoch % apart);

/** The next one that is claimed where both nodes see it: whoever creates it there has it. */
export function nextEpoch(known: number): number {
  let epoch = known + 1;
  while (isOwn(epoch)) epoch += 1;
  return epoch;
}

/** The next one that is this node's own. `half`: which of the pair's two addresses, sorted, is this node's; both reckon alike. */
export function nextOwnEpoch(known: number, half: Half): number {
  const digit = ownDigit[half];
  const epoch = known - (known % apart) + digit;
  return epoch > known ? epoch : epoch + apart;
}

/** Whether an epoch is one that this node alone can have claimed. */
export const isOwnEpoch = (epoch: number, half: Half): boolean => epoch % apart === ownDigit[half];

export const halfOf = (own: string, other: string): Half => (own < other ? 'first' : 'second');
