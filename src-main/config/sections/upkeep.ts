/** History, console, and what the node is. */
import { z } from 'zod';
import { roleSchema } from '../../contract/words.ts';
import { duration, flag, loopback, word } from '../scalars.ts';
import { group } from './form.ts';

const keepFor = (description: string, usual: string) => duration(description, '1d', '7300d').prefault(usual);

export const history = group('How long history is kept. Sums by the day are always kept.', {
  beats: keepFor('Single beats.', '90d'),
  minutes: keepFor('Sums by the minute.', '365d'),
  hours: keepFor('Sums by the hour.', '3650d'),
  events: keepFor('Events with their reasons.', '3650d'),
});

export const consoleServer = group('The page for a browser on this machine.', {
  address: loopback('Where it listens; this machine only.').prefault('127.0.0.1'),
  port: z
    .int()
    .min(0)
    .max(65_535)
    .meta({
      description: 'Port of the page; 0 takes a free one.',
      noun: 'a port',
      allowed: 'a whole number from 1 to 65535, or 0 for a free one',
    })
    .prefault(0),
});

export const role = word('What this node is at the start.', roleSchema.options);
export const lab = flag('A laboratory: allows intervals under 5 s. Never on a site.');
