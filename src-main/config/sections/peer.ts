/** The link between the engines of the two nodes. */
import { hostPort } from '../scalars.ts';
import { group } from './form.ts';

export const peer = group(
  'The link to the engine on the other node; `{}` takes all defaults. Without this section there is none.',
  {
    listen: hostPort(
      "Where this node listens for the other one. Default: this node's own address, port 7443.",
    ).optional(),
    address: hostPort('Where the other node listens. Default: its address in the pair, port 7443.').optional(),
  },
);
