/** What Google Storage's words mean. Pure; must not know how it is asked. */
import { z } from 'zod';
import type { LocationError, LocationFault } from '../location.ts';
import { locationFault, type Place } from './faults.ts';

type Meaning = readonly [fault: LocationFault, words: string, todo?: string];

const wrongKey = 'write the JSON key of the service account anew with `estepe secret set NAME`';
const rights = 'give the service account the role "Storage Object Admin" on that bucket';
const toWait: Meaning = ['busy', 'the service asks to wait'];
const trouble: Meaning = ['busy', 'the service has trouble for the moment'];

/** By the reason in the answer. Source: Cloud Storage's "HTTP status and error codes for JSON". */
const ofReason: Readonly<Record<string, Meaning>> = {
  authError: ['credentials', 'the key is not accepted', wrongKey],
  required: ['credentials', 'the key is not accepted', wrongKey],
  accountDisabled: ['permission', 'the account is disabled', 'look at the billing of that project'],
  rateLimitExceeded: toWait,
  userRateLimitExceeded: toWait,
  quotaExceeded: ['full', 'the quota is used up'],
  storageQuotaExceeded: ['full', 'the quota is used up'],
  uploadTooLarge: ['too-large', 'it takes no object of that size'],
  retentionPolicyNotMet: ['permission', 'the retention policy of the bucket forbids it', 'shorten that policy'],
};

const ofStatus: Readonly<Record<number, Meaning>> = {
  401: ['credentials', 'the key is not accepted', wrongKey],
  403: ['permission', 'this service account may not do that there', rights],
  404: ['missing', 'is not there', 'check `bucket` in backup.location; the bucket must be there'],
  408: ['timeout', 'the service waited in vain for what was sent'],
  // The session of an upload is over: the next attempt begins another.
  410: ['connection', 'the upload must be begun anew'],
  412: ['other', 'it was changed meanwhile', 'try again'],
  413: ['too-large', 'it takes no object of that size'],
  429: toWait,
  500: trouble,
  501: ['unsupported', 'the endpoint cannot do that'],
  502: trouble,
  503: toWait,
  504: trouble,
  507: ['full', 'there is no space left'],
};

const errorAnswer = z.object({
  error: z.object({
    message: z.string().optional(),
    errors: z.array(z.object({ reason: z.string().optional() })).optional(),
  }),
});

/**
 * @param said the answer's JSON, or null
 * @param what was asked for
 */
export function googleFault(place: Place, status: number, said: unknown, what: string): LocationError {
  const parsed = errorAnswer.safeParse(said);
  const reason = (parsed.success ? parsed.data.error.errors?.[0]?.reason : undefined) ?? '';
  const message = (parsed.success ? parsed.data.error.message : undefined) ?? '';
  const known = ofReason[reason] ?? ofStatus[status];
  const [fault, words, todo] = known ?? (['other', `the service says "${message}"`] as const);
  const named = reason === '' ? `HTTP ${status}` : `HTTP ${status}, ${reason}`;
  return locationFault(place, fault, `${what}: ${words} (${named})`, todo);
}
