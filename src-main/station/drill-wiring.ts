/** The drill put together from the parts of a running engine. Wires; decides nothing. */
import type { Storeroom } from '../backup/storeroom.ts';
import type { DataFolder } from '../config/data-folder.ts';
import { guardsOf } from '../engine/guards.ts';
import type { PbxApi } from '../runbook/fence/means.ts';
import { planOf } from './desk.ts';
import type { DoctorParts } from './doctor/shared.ts';
import { Drill, type DrillParts } from './drill/drill.ts';
import { type PromotionSight, rehearse } from './drill/rehearse.ts';
import type { Engine } from './engine.ts';

export interface DrillWiring extends Pick<DrillParts, 'store' | 'note' | 'tell' | 'clean' | 'onChange'> {
  /** what it looks with: the doctor's */
  looking: DoctorParts;
  folder: DataFolder;
  engine: Engine;
  storeroom: Pick<Storeroom, 'at'>;
  pbxApi: PbxApi;
}

export function wireDrill({ looking, folder, engine, storeroom, pbxApi, ...rest }: DrillWiring): Drill {
  const { clock, means, config, role } = looking;
  const promotion = (): PromotionSight => {
    const { interpreter } = engine;
    const observation = interpreter.observation();
    return {
      answer: interpreter.consider({ kind: 'promote', by: 'drill', reason: 'drill', overrides: [], skipStep: false }),
      plan: planOf(engine),
      guards: guardsOf(interpreter.state, observation),
      claims: observation.claims,
    };
  };
  return new Drill({
    ...{ ...rest, clock, folder, means, config, role },
    rehearse: (how, trial) => rehearse({ ...looking, folder, pbxApi, promotion, trial }, how),
    runbookOpen: () => engine.runner.isOpen,
    storeroomAt: () => storeroom.at,
  });
}
