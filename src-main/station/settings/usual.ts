/** What holds where the configuration is silent, as it would be written: the schema's own defaults, by path. */
import { type SchemaNode, wordedSchema } from '../../config/json-schema.ts';
import { profileFacts, profiles } from '../../config/profiles.ts';
import type { SettingsView } from '../../contract/settings.ts';

type Plain = string | number | boolean;
const isPlain = (value: unknown): value is Plain => ['string', 'number', 'boolean'].includes(typeof value);

function collect(node: SchemaNode, path: string, into: Record<string, Plain>): void {
  const usual: unknown = Reflect.get(node, 'default');
  // of the ways that share a key the first one speaks; they agree where it matters
  if (path !== '' && isPlain(usual)) into[path] ??= usual;
  for (const branch of [...(node.anyOf ?? []), ...(node.oneOf ?? [])]) collect(branch, path, into);
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    collect(child, path === '' ? key : `${path}.${key}`, into);
  }
}

/** By path, such as `backup.keep`. Defaults that hang on other keys (profile, interval) are not among them. */
function usualValues(): Record<string, Plain> {
  const found: Record<string, Plain> = {};
  collect(wordedSchema, '', found);
  return found;
}

/** What forms need to know of the schema and of the products. */
export function formFacts(): Pick<SettingsView, 'usual' | 'profileTests' | 'profileServices'> {
  const lists = (commands: readonly (readonly string[])[]) => commands.map((words) => [...words]);
  return {
    usual: usualValues(),
    profileTests: Object.fromEntries(profiles.map((name) => [name, [...profileFacts[name].tests]])),
    profileServices: Object.fromEntries(
      profiles.map((name) => {
        const { names, start, query, stop, calls } = profileFacts[name].services;
        const commands = { start: lists(start), query: lists(query), stop: lists(stop) };
        return [name, { names: [...names], ...commands, calls: calls && [...calls] }];
      }),
    ),
  };
}
