/** How a script of the site is written, alone or with settings of its own. */
import { z } from 'zod';
import { onFailSchema } from '../../contract/words.ts';
import { scriptArgv, scriptName, whole, word } from '../scalars.ts';
import { commandTimeout, group } from './form.ts';

export const retries = (description: string) => whole(description, 'a number of retries', 0, 20);
export const onFail = (description: string) => word(description, onFailSchema.options);

function scriptWith<S extends z.core.$ZodLooseShape>(description: string, more: S) {
  const shape = {
    run: z.union([scriptName('A file in the scripts folder.'), scriptArgv('The script and its arguments.')]).meta({
      description: 'The script, alone or with its arguments.',
      noun: 'a script',
      allowed: 'a file in the scripts folder, or a list: [name, argument]',
    }),
    timeout: commandTimeout('How long one attempt may take.').optional(),
    retries: retries('How often exit 1 is tried again.').optional(),
    ...more,
  };
  return z
    .union([
      scriptName('A file in the scripts folder.'),
      scriptArgv('The script and its arguments; no shell.'),
      group('A script with settings of its own.', shape),
    ])
    .meta({
      description,
      noun: 'a script',
      allowed: `a file in the scripts folder, a list [name, argument], or { ${Object.keys(shape).join(', ')} }`,
    });
}

/** A script around a promotion, whose failure may halt it or not. */
export const script = (description: string, onFailDefault: string) =>
  scriptWith(description, {
    onFail: onFail(`What its failure does to the promotion. Default: ${onFailDefault}.`).optional(),
  });

/** A script whose failure is weighed by what it is for. */
export const plainScript = (description: string) => scriptWith(description, {});
