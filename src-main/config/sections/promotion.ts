/** How this node takes over: services, scripts, decisions. */
import { modeSchema, onFailSchema, onSilenceSchema } from '../../contract/words.ts';
import { commandArgv, duration, flag, line, word } from '../scalars.ts';
import { claim } from './claim.ts';
import { dns } from './dns.ts';
import { fence } from './fence.ts';
import { commandTimeout, group, list } from './form.ts';
import { onFail, retries, script } from './script.ts';

export const services = group('How the PBX is started and stopped here: by commands, or by names of services.', {
  start: list('Commands that start the PBX, in order.', commandArgv('One command and its arguments.'), 32).optional(),
  query: list('Commands that exit 0 when the PBX runs.', commandArgv('One command and its arguments.'), 32).optional(),
  stop: list('Commands that stop the PBX, in order.', commandArgv('One command and its arguments.'), 32).optional(),
  names: list(
    'Names of services, `*` for any characters; started in this order. Default by profile.',
    line('One name or pattern.', 120),
    64,
  ).optional(),
  boot: group('Commands that say whether the PBX starts with the machine, where names of services do not.', {
    on: list(
      'Run when this node has become the active one.',
      commandArgv('One command and its arguments.'),
      32,
    ).optional(),
    off: list('Run when it has ceased to be.', commandArgv('One command and its arguments.'), 32).optional(),
  }).optional(),
  calls: commandArgv(
    'One command and its arguments that prints how many calls are active, for `switchover --when-idle`. Default by profile.',
  ).optional(),
  letOn: word(
    'Who starts the PBX of the active node after a boot. estepe: only once it was seen that no other node has taken over; then it does not start without Estepe.',
    ['machine', 'estepe'],
  ).prefault('machine'),
  letOnWithin: duration(
    'letOn estepe: so long the location or the other node is waited for; then the PBX is started all the same.',
    '1s',
    '1h',
    '1s',
  ).prefault('2m'),
  timeout: commandTimeout('How long one command, or one service, may take.').prefault('60s'),
  proveWithin: commandTimeout('How long the PBX may take to answer its own tests here.').prefault('60s'),
  onFail: word('What a service that cannot be started does to the promotion.', onFailSchema.options).prefault('halt'),
});

export const promotion = group('How this node takes over.', {
  mode: word(
    'automatic: by itself. confirm: asks first, with a countdown. manual: only by a person.',
    modeSchema.options,
  ).prefault('confirm'),
  countdown: duration('confirm: how long a person is waited for.', '200ms', '24h', '10s').prefault('5m'),
  onSilence: word('confirm: what happens when nobody answers.', onSilenceSchema.options).prefault('promote'),
  cooldown: duration('After a promotion none happens by itself for so long.', '0s', '7d').prefault('60m'),
  failback: group('The way home: what is asked beside what a switchover asks.', {
    stable: duration('The other node must have been seen healthy for so long.', '0s', '7d').prefault('10m'),
  }).prefault({}),
  observeOnly: flag('Decide and write down, but never act.').prefault(false),
  scripts: group("The site's own scripts around a promotion.", {
    before: script('Runs before the services are started.', 'halt').optional(),
    after: script('Runs when the PBX is alive here.', 'continue').optional(),
    timeout: commandTimeout('How long one attempt may take.').prefault('60s'),
    retries: retries('How often exit 1 is tried again.').prefault(2),
    onFail: onFail('What a failure does to the promotion. Default: before halt, after continue.').optional(),
  }).prefault({}),
  claim: claim.optional(),
  fence: fence.prefault({}),
  dns: dns.optional(),
});

export const selfFence = group('The active node stops its own PBX when it is cut off.', {
  after: duration(
    'Cut off from the location and the other node for so long. Absent: never.',
    '1s',
    '7d',
    '1m',
  ).optional(),
});
