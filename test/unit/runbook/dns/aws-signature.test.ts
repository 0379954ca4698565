/** Amazon's own examples: the test suite of Signature Version 4. */
import { expect, it } from 'vitest';
import { signedHeaders } from '../../../../src-main/runbook/dns/aws-signature.ts';

const keys = { keyId: 'AKIDEXAMPLE', key: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const when = { region: 'us-east-1', service: 'service', at: new Date('2015-08-30T12:36:00Z') };
const signed = (method: string, path: string): string | undefined =>
  signedHeaders({ method, url: new URL(`https://example.amazonaws.com${path}`), body: '' }, keys, when).authorization;

it.each([
  ['get-vanilla', 'GET', '/', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
  ['post-vanilla', 'POST', '/', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
  [
    'get-vanilla-query-order-key-case',
    'GET',
    '/?Param2=value2&Param1=value1',
    'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  ],
])('%s', (_, method, path, signature) => {
  expect(signed(method, path)).toBe(
    `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`,
  );
});
