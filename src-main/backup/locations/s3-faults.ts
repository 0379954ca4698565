/** What an S3 endpoint's words mean. Pure; must not know how it is asked. */
import { LocationError, type LocationFault } from '../location.ts';
import { cancelledFault, locationFault, type Place } from './faults.ts';

type Meaning = readonly [fault: LocationFault, words: string, todo?: string];

const wrongKeys = 'check `keyId` in backup.location and write its secret anew with `estepe secret set NAME`';
const noBucket = 'check `bucket`, `region` and `endpoint` in backup.location; the bucket must be there';
const secondOnes = 'the service asks to wait';

/** By the code in the answer. Sources: S3's list of error responses; Ceph's rgw_common.cc; Swift's s3response.py; MinIO's api-errors.go. */
const ofCode: Readonly<Record<string, Meaning>> = {
  InvalidAccessKeyId: ['credentials', 'the access key id is not known there', wrongKeys],
  SignatureDoesNotMatch: ['credentials', 'the access key id or the secret key is wrong', wrongKeys],
  ExpiredToken: ['credentials', 'the key has expired', wrongKeys],
  InvalidToken: ['credentials', 'the key is not accepted', wrongKeys],
  TokenRefreshRequired: ['credentials', 'the key has expired', wrongKeys],
  InvalidSecurity: ['credentials', 'the key is not accepted', wrongKeys],
  NotSignedUp: ['credentials', 'the account may not use the service', wrongKeys],
  AccountProblem: ['permission', 'something is wrong with the account', 'ask the provider'],
  AllAccessDisabled: ['permission', 'all access was disabled', 'ask the provider'],
  UserSuspended: ['permission', 'the user is suspended', 'ask the provider'],
  RequestTimeTooSkewed: ['credentials', "this machine's clock and the server's differ too much", 'set the clock right'],
  RequestExpired: ['credentials', "this machine's clock and the server's differ too much", 'set the clock right'],
  AccessDenied: [
    'permission',
    'this key may not do that there',
    'let this key list, read, write and delete in the bucket',
  ],
  NoSuchBucket: ['missing', 'there is no such bucket', noBucket],
  NoSuchKey: ['missing', 'is not there'],
  NoSuchUpload: ['missing', 'the upload was ended by somebody else', 'begin it anew'],
  NotFound: ['missing', 'is not there'],
  PermanentRedirect: ['missing', 'the bucket is in another region', noBucket],
  AuthorizationHeaderMalformed: ['missing', 'the bucket is in another region', noBucket],
  IllegalLocationConstraintException: ['missing', 'the bucket is in another region', noBucket],
  QuotaExceeded: ['full', 'the quota is used up'],
  QuotaExceededException: ['full', 'the quota is used up'],
  InsufficientStorage: ['full', 'there is no space left'],
  InsufficientCapacity: ['full', 'there is no space left'],
  XMinioStorageFull: ['full', 'there is no space left'],
  XMinioAdminBucketQuotaExceeded: ['full', 'the quota is used up'],
  // Nothing that is sent here in one piece is near S3's own limit (5 GiB): it is Swift's word for a quota.
  EntityTooLarge: ['full', 'it takes no more: a quota is used up, or its limit for one object is very low'],
  SlowDown: ['busy', secondOnes],
  Throttling: ['busy', secondOnes],
  ThrottlingException: ['busy', secondOnes],
  TooManyRequests: ['busy', secondOnes],
  RequestLimitExceeded: ['busy', secondOnes],
  BandwidthLimitExceeded: ['busy', secondOnes],
  ServiceUnavailable: ['busy', secondOnes],
  InternalError: ['busy', 'the service has trouble for the moment'],
  OperationAborted: ['busy', 'somebody else changes the same at this moment'],
  ConditionalRequestConflict: ['busy', 'somebody else changes the same at this moment'],
  RequestTimeout: ['timeout', 'the service waited in vain for what was sent'],
  NotImplemented: ['unsupported', 'the endpoint cannot do that'],
  PreconditionFailed: ['other', 'it was changed meanwhile', 'try again'],
};

/** Where there is no code, or none that is known. */
const ofStatus: Readonly<Record<number, Meaning>> = {
  301: ['missing', 'the bucket is in another region', noBucket],
  307: ['busy', 'the bucket is on the move'],
  401: ['credentials', 'the key is not accepted', wrongKeys],
  403: ['permission', 'this key may not do that there', 'let this key list, read, write and delete in the bucket'],
  404: ['missing', 'is not there'],
  408: ['timeout', 'the service waited in vain for what was sent'],
  413: ['full', 'it takes no more: a quota is used up, or its limit for one object is very low'],
  429: ['busy', secondOnes],
  500: ['busy', 'the service has trouble for the moment'],
  501: ['unsupported', 'the endpoint cannot do that'],
  502: ['busy', 'the service has trouble for the moment'],
  503: ['busy', secondOnes],
  504: ['busy', 'the service has trouble for the moment'],
  507: ['full', 'there is no space left'],
};

/** What an endpoint said. */
export interface S3Word {
  /** `NoSuchBucket`; empty where it named none */
  code: string;
  status: number;
  message: string;
}

/** What the SDK throws, read as the endpoint's word. */
export function wordOf(error: unknown): S3Word {
  if (!(error instanceof Error)) return { code: '', status: 0, message: String(error) };
  const metadata: unknown = Reflect.get(error, '$metadata');
  const status: unknown =
    typeof metadata === 'object' && metadata !== null ? Reflect.get(metadata, 'httpStatusCode') : undefined;
  return { code: error.name, status: typeof status === 'number' ? status : 0, message: error.message };
}

/** @param what was asked for */
export function s3Fault(place: Place, error: unknown, what: string): LocationError {
  if (error instanceof LocationError) return error;
  const { code, status, message } = wordOf(error);
  // The SDK's own word, where it ends before the line is asked.
  if (code === 'AbortError') return cancelledFault(place);
  const [fault, words, todo] =
    ofCode[code] ?? ofStatus[status] ?? (['other', `the endpoint says "${message}"`] as const);
  const named = ofCode[code] === undefined ? (status === 0 ? code : `HTTP ${status}`) : code;
  return locationFault(place, fault, `${what}: ${words} (${named})`, todo);
}
