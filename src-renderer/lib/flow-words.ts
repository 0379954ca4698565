/** Words of the way of the data (contract/flow-view.ts) in the reader's language. */
import type { FlowStep } from '../../src-main/contract/flow-view.ts';
import { durationWords } from '../../src-main/contract/view.ts';
import { m } from './paraglide/messages.js';

export const flowName: Record<FlowStep['id'], () => string> = {
  backup: m.flow_backup,
  location: m.flow_location,
  restore: m.flow_restore,
};

export function flowWords(step: FlowStep): string {
  switch (step.says) {
    case 'no-location':
      return m.flow_no_location();
    case 'not-kept':
    case 'none':
      return m.flow_none();
    case 'not-read':
      return m.flow_not_read();
    case 'reading':
      return m.listing();
    case 'failed':
      return m.end_failed();
    case 'verified':
      return `${m.old({ age: durationWords(step.ageMs) })} · ${m.verified()}`;
    case 'unverified':
      return `${m.old({ age: durationWords(step.ageMs) })} · ${m.not_verified()}`;
    case 'read':
    case 'unread': {
      const read = step.ageMs === null ? '' : m.flow_seen({ ago: m.ago({ time: durationWords(step.ageMs) }) });
      return step.says === 'read' ? read : [m.flow_unread(), read].filter((part) => part !== '').join(' · ');
    }
    case 'restored':
      return m.ago({ time: durationWords(step.ageMs) });
    case 'restored-then-failed':
      return m.flow_then_failed({ ago: m.ago({ time: durationWords(step.ageMs) }) });
  }
}
