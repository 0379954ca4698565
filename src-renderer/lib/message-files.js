/**
 * Reads src-renderer/messages/LOCALE.json for Paraglide: flat `key: text` with `{name}` for what is filled in. Our own
 * because the usual reader is fetched over the network at each build; a build must need none. Imports nothing: it is loaded
 * as one text.
 */
const folder = './src-renderer/messages';

/** `wait {left}, then` becomes text, reference, text. */
function patternOf(text) {
  return text
    .split(/(\{[a-zA-Z]+\})/)
    .filter((part) => part !== '')
    .map((part) =>
      /^\{[a-zA-Z]+\}$/.test(part)
        ? { type: 'expression', arg: { type: 'variable-reference', name: part.slice(1, -1) } }
        : { type: 'text', value: part },
    );
}

const namesIn = (text) => [...text.matchAll(/\{([a-zA-Z]+)\}/g)].map((match) => match[1]);

export default {
  key: 'estepe.message-files',
  toBeImportedFiles({ settings }) {
    return settings.locales.map((locale) => ({ path: `${folder}/${locale}.json`, locale }));
  },
  importFiles({ files }) {
    const names = new Map();
    const messages = [];
    const variants = [];
    for (const file of files) {
      const texts = JSON.parse(new TextDecoder().decode(file.content));
      for (const [key, text] of Object.entries(texts)) {
        if (key.startsWith('$')) continue;
        names.set(key, new Set([...(names.get(key) ?? []), ...namesIn(text)]));
        messages.push({ bundleId: key, locale: file.locale, selectors: [] });
        variants.push({ messageBundleId: key, messageLocale: file.locale, matches: [], pattern: patternOf(text) });
      }
    }
    const bundles = [...names].map(([id, inputs]) => ({
      id,
      declarations: [...inputs].map((name) => ({ type: 'input-variable', name })),
    }));
    return { bundles, messages, variants };
  },
};
