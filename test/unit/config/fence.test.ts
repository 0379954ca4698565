import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { configSchema } from '../../../src-main/config/schema.ts';
import { site } from './texts.ts';

type Yaml = Record<string, Record<string, unknown>>;
const read = (fence: unknown, profile = '3cx-windows') => {
  const written = parse(site) as Yaml;
  written.pair = { ...written.pair, profile };
  written.promotion = { ...written.promotion, ...(fence === undefined ? {} : { fence }) };
  return configSchema.safeParse(written);
};

describe('promotion.fence', () => {
  it('left out: best effort, silence only, for half a minute', () => {
    const { promotion } = read(undefined).data ?? {};
    expect(promotion?.fence).toEqual({ need: 'best-effort', api: null, script: null, silenceWithin: 30_000 });
  });

  it('a plain word is short for that need', () => {
    expect(read('required').data?.promotion.fence).toEqual(read({ need: 'required' }).data?.promotion.fence);
    expect(read('required').data?.promotion.fence.need).toBe('required');
  });

  it('a group with everything; the script shares the settings of the others', () => {
    const given = { need: 'required', api: { clientId: 'estepe', secret: 'pbx-api' }, script: 'fence-ipmi.sh' };
    expect(read({ ...given, silenceWithin: '10s' }).data?.promotion.fence).toEqual({
      need: 'required',
      api: { clientId: 'estepe', secret: 'pbx-api', timeout: 60_000 },
      script: { argv: ['fence-ipmi.sh'], timeout: 60_000, retries: 2 },
      silenceWithin: 10_000,
    });
  });

  it.each([
    ['a word that is none', 'perhaps', '3cx-windows'],
    ['a key that is none', { power: 'off' }, '3cx-windows'],
    ['a script outside the folder', { script: '../fence.sh' }, '3cx-windows'],
    [
      'what a failure of the script does: the need says that',
      { script: { run: 'f.sh', onFail: 'continue' } },
      '3cx-windows',
    ],
    ['the API of 3CX for another PBX', { api: { clientId: 'a', secret: 'b' } }, 'generic'],
  ])('refuses %s', (_, fence, profile) => {
    expect(read(fence, profile).success).toBe(false);
  });
});
