/** Who keeps the claims of epochs, and what happens where they cannot be reached. */
import { z } from 'zod';
import { duration, line, secretName, webAddress, word } from '../scalars.ts';
import { group, list } from './form.ts';

const needs = ['required', 'best-effort'] as const;
const need = word(
  'What a takeover does where the epoch cannot be claimed so that the other node sees it. required: none by itself, a person may order it. best-effort: it goes on, and says so.',
  needs,
);

const etcd = group('A second keeper of claims, beside the location: an etcd of the site (API v3).', {
  endpoints: list('Its addresses, asked one after the other.', webAddress('One address.'), 8),
  user: line('User name.', 128).optional(),
  password: secretName('Secret that holds the password.').optional(),
  prefix: line('What its keys begin with.', 200).prefault('estepe'),
  timeout: duration('How long one address may take to answer.', '100ms', '1m').prefault('5s'),
});

export const claim = z
  .union([
    need,
    group('With settings of its own.', {
      need: need.prefault('required'),
      etcd: etcd.optional(),
    }),
  ])
  .meta({
    description:
      'How an epoch is claimed: in the location of the backups, so that only one node can own it. Default: required.',
    noun: 'a word or a group',
    allowed: 'required, best-effort, or { need, etcd }',
  });
