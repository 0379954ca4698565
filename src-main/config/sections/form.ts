/** What the sections are made of: groups of keys, lists, and the forms that several of them share. */
import { z } from 'zod';
import { commandArgv, duration } from '../scalars.ts';

/** A group of keys; others are refused. */
export function group<S extends z.core.$ZodLooseShape>(description: string, shape: S) {
  const allowed = `a group with the keys ${Object.keys(shape).join(', ')}`;
  return z.strictObject(shape).meta({ description, noun: 'a group of keys', allowed });
}

export function list<T extends z.ZodType>(description: string, item: T, max: number) {
  return z
    .array(item)
    .max(max)
    .meta({ description, noun: 'a list', allowed: `a list of at most ${max}` });
}

export const commandTimeout = (description: string) => duration(description, '100ms', '1h', '1s');

export const commands = (description: string) => list(description, commandArgv('One command and its arguments.'), 32);
