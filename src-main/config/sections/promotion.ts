/** How this node takes over: services, scripts, decisions. */
import { z } from 'zod';
import { modeSchema, onFailSchema, onSilenceSchema } from '../../contract/words.ts';
import { commandArgv, duration, flag, line, scriptArgv, scriptName, whole, word } from '../scalars.ts';
import { claim } from './claim.ts';
import { dns } from './dns.ts';
import { commandTimeout, group, list } from './form.ts';

export const services = group('How the PBX is started and stopped here: by commands, or by names of services.', {
  start: list('Commands that start the PBX, in order.', commandArgv('One command and its arguments.'), 32).optional(),
  query: list('Commands that exit 0 when the PBX runs.', commandArgv('One command and its arguments.'), 32).optional(),
  stop: list('Commands that stop the PBX, in order.', commandArgv('One command and its arguments.'), 32).optional(),
  names: list(
    'Names of services, `*` for any characters; started in this order. Default by profile.',
    line('One name or pattern.', 120),
    64,
  ).optional(),
  timeout: commandTimeout('How long one command, or one service, may take.').prefault('60s'),
  proveWithin: commandTimeout('How long the PBX may take to answer its own tests here.').prefault('60s'),
  onFail: word('What a service that cannot be started does to the promotion.', onFailSchema.options).prefault('halt'),
});

const retries = (description: string) => whole(description, 'a number of retries', 0, 20);
const onFail = (description: string) => word(description, onFailSchema.options);

const script = (description: string, onFailDefault: string) =>
  z
    .union([
      scriptName('A file in the scripts folder.'),
      scriptArgv('The script and its arguments; no shell.'),
      group('A script with settings of its own.', {
        run: z.union([scriptName('A file in the scripts folder.'), scriptArgv('The script and its arguments.')]).meta({
          description: 'The script, alone or with its arguments.',
          noun: 'a script',
          allowed: 'a file in the scripts folder, or a list: [name, argument]',
        }),
        timeout: commandTimeout('How long one attempt may take.').optional(),
        retries: retries('How often exit 1 is tried again.').optional(),
        onFail: onFail(`What its failure does to the promotion. Default: ${onFailDefault}.`).optional(),
      }),
    ])
    .meta({
      description,
      noun: 'a script',
      allowed: 'a file in the scripts folder, a list [name, argument], or { run, timeout, retries, onFail }',
    });

export const promotion = group('How this node takes over.', {
  mode: word(
    'automatic: by itself. confirm: asks first, with a countdown. manual: only by a person.',
    modeSchema.options,
  ).prefault('confirm'),
  countdown: duration('confirm: how long a person is waited for.', '200ms', '24h', '10s').prefault('5m'),
  onSilence: word('confirm: what happens when nobody answers.', onSilenceSchema.options).prefault('promote'),
  cooldown: duration('After a promotion none happens by itself for so long.', '0s', '7d').prefault('60m'),
  observeOnly: flag('Decide and write down, but never act.').prefault(false),
  scripts: group("The site's own scripts around a promotion.", {
    before: script('Runs before the services are started.', 'halt').optional(),
    after: script('Runs when the PBX is alive here.', 'continue').optional(),
    timeout: commandTimeout('How long one attempt may take.').prefault('60s'),
    retries: retries('How often exit 1 is tried again.').prefault(2),
    onFail: onFail('What a failure does to the promotion. Default: before halt, after continue.').optional(),
  }).prefault({}),
  claim: claim.optional(),
  dns: dns.optional(),
});
