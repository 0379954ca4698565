/**
 * Turns whatever a call threw into the one error shape that clients get: ORPCError with `data: { code, message, todo }`.
 * Lets no text of an unexpected error through: it may name paths or carry secrets.
 */
import { ORPCError, ValidationError } from '@orpc/server';
import { type ErrorCode, EstepeError } from '../contract/errors.ts';

/** What `error.data` of every failed call holds. */
export interface CallErrorData {
  code: ErrorCode;
  message: string;
  todo: string;
}

/** HTTP status by code; RFC 9110 §15. */
const statusOf: Record<ErrorCode, number> = {
  usage: 400,
  config: 400,
  unauthorized: 401,
  'not-found': 404,
  owned: 409,
  refused: 409,
  'nothing-to-do': 409,
  'first-run': 409,
  'no-engine': 503,
  backup: 500,
  location: 502,
  port: 503,
  'data-folder': 500,
  database: 500,
  runtime: 500,
  internal: 500,
};

/** An ORPCError in our shape. `status` where the HTTP answer is more exact than the code's usual one. */
export function callError(code: ErrorCode, message: string, todo: string, status = statusOf[code]) {
  const data: CallErrorData = { code, message, todo };
  return new ORPCError(code.toUpperCase().replaceAll('-', '_'), { status, message, data });
}

/** Where the input is wrong and why, from the first issue that the schema found. */
function badInputSentence(error: ValidationError): string {
  const issue = error.issues[0];
  if (issue === undefined) return 'the request is not what the contract asks for';
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
  return path === '' ? issue.message : `${path}: ${issue.message}`;
}

/**
 * The error as the client may see it. `onFault` hears of faults of our own, with everything there is to know.
 */
export function asCallError(error: unknown, onFault: (error: unknown) => void): ORPCError<string, unknown> {
  if (error instanceof EstepeError) return callError(error.code, error.message, error.todo);
  if (error instanceof ORPCError) {
    if (isCallErrorData(error.data)) return error;
    if (error.code === 'BAD_REQUEST') {
      const sentence =
        error.cause instanceof ValidationError ? badInputSentence(error.cause) : 'the request cannot be understood';
      return callError('usage', sentence, 'send what the contract of this version asks for');
    }
    if (error.code === 'METHOD_NOT_SUPPORTED') {
      return callError('usage', 'calls are made by POST', 'send it as POST with a JSON body', 405);
    }
  }
  onFault(error);
  return callError('internal', 'the engine could not answer this call', "see the engine's log for what went wrong");
}

function isCallErrorData(data: unknown): data is CallErrorData {
  return typeof data === 'object' && data !== null && 'code' in data && 'message' in data && 'todo' in data;
}
