/** The drill put together from the parts of a running engine. Wires; decides nothing. */
import type { Storeroom } from '../backup/storeroom.ts';
import type { DataFolder } from '../config/data-folder.ts';
import { guardsOf } from '../engine/guards.ts';
import type { Store } from '../engine/ports.ts';
import type { PbxApi } from '../runbook/fence/means.ts';
import { planOf } from './desk.ts';
import type { DoctorParts } from './doctor/shared.ts';
import { Drill, type DrillParts } from './drill/drill.ts';
import type { Engine } from './engine.ts';

export interface DrillWiring extends Pick<DrillParts, 'note' | 'tell' | 'clean' | 'onChange'> {
  /** what it looks with: the doctor's */
  looking: DoctorParts;
  folder: DataFolder;
  engine: Engine;
  storeroom: Pick<Storeroom, 'at'>;
  store: Pick<Store, 'remember' | 'recall'>;
  pbxApi: PbxApi;
}

export function wireDrill({ looking, folder, engine, storeroom, store, pbxApi, ...voice }: DrillWiring): Drill {
  return new Drill({
    ...{ ...looking, ...voice, folder, store, pbxApi },
    runbookOpen: () => engine.runner.isOpen,
    storeroomAt: () => storeroom.at,
    promotion: () => {
      const { interpreter } = engine;
      const observation = interpreter.observation();
      return {
        answer: interpreter.consider({ kind: 'promote', by: 'drill', reason: 'drill', overrides: [], skipStep: false }),
        plan: planOf(engine),
        guards: guardsOf(interpreter.state, observation),
        claims: observation.claims,
      };
    },
  });
}
