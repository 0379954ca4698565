/** How the old active is made sure to be silent before this node starts. */
import { z } from 'zod';
import { duration, line, secretName, word } from '../scalars.ts';
import { commandTimeout, group } from './form.ts';
import { plainScript } from './script.ts';

const needs = ['required', 'best-effort'] as const;
const needWords =
  'required: without proof no promotion, until a person says otherwise. best-effort: goes on, and tells the risk.';

export const fence = z
  .union([
    word(needWords, needs),
    group('How the old active is fenced: each means that is given, in this order, then its silence is proven.', {
      need: word(needWords, needs).prefault('best-effort'),
      api: group("The PBX's own API (3CX v20): its services are stopped.", {
        clientId: line('Client id of the API client; one of its own, since one token is alive at a time.', 128),
        secret: secretName('Secret that holds the API key.'),
        timeout: commandTimeout('How long stopping may take in all.').prefault('60s'),
      }).optional(),
      script: plainScript('Cuts the old active off: power, hypervisor, switch.').optional(),
      silenceWithin: duration('How long the old active may take to fall silent.', '1s', '10m').prefault('30s'),
    }),
  ])
  .meta({
    description: 'How the old active is made sure to be silent.',
    noun: 'a way of fencing',
    allowed: 'required, best-effort, or a group with the keys need, api, script, silenceWithin',
  });
