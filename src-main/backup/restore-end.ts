/** How a restore that failed is called and told, by what it left. Pure. */
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import type { RestoreOutcome, Stands } from '../history/restores.ts';
import { ArchiveError, refusals } from './archive/faults.ts';
import { LocationError } from './location.ts';

export interface StateAtEnd {
  stands: Stands;
  /** commands of the site's had begun, or files were moved */
  touched: boolean;
  cancelled: boolean;
}

/** An error that says nothing but that somebody cancelled. */
const onlyCancelled = (error: unknown): boolean =>
  error instanceof EstepeError &&
  (error.detail.fault === 'cancelled' || error.detail.how === 'cancelled' || error.message === 'It was cancelled.');

const isRefusal = (error: unknown): error is ArchiveError => error instanceof ArchiveError && refusals.has(error.fault);

/** What a program said last may end anyhow. */
const stopped = (sentence: string): string => (/[.!?]$/.test(sentence) ? sentence : `${sentence}.`);

export function outcomeOf(error: unknown, { stands, touched, cancelled }: StateAtEnd): RestoreOutcome {
  if (stands === 'old' && cancelled) return 'cancelled';
  if (isRefusal(error)) return 'refused';
  return stands === 'old' && touched ? 'taken-back' : 'failed';
}

/**
 * What is thrown.
 * @param name of the backup; null: none was chosen yet
 */
export function toldOf(error: unknown, name: string | null, { stands, cancelled }: StateAtEnd): unknown {
  if (stands === 'old' && cancelled) {
    const also = onlyCancelled(error) ? '' : ` ${sentenceOf(error)}`;
    const todo = 'start it again when it is wanted: `estepe restore run`';
    return new LocationError('cancelled', `The restore was cancelled; the old state stands here.${also}`, todo, error);
  }
  if (isRefusal(error) && name !== null) {
    return new ArchiveError(error.fault, `${name} is refused (${error.fault}): ${error.message}`, error);
  }
  if (stands === 'unknown') {
    return new EstepeError(
      'backup',
      `${stopped(sentenceOf(error))} What stands here now may be parts of the old and of the new.`,
      'when the cause is gone, restore again: `estepe restore run`; until then this node is no good spare',
      error instanceof EstepeError ? error.detail : {},
      error,
    );
  }
  return error;
}
