/** The usual stage of these tests: one SIP server that is watched, the same in reserve on the passive's address. */
import type { TestContext } from 'vitest';
import { freePort } from '../fixtures/free-port.ts';
import { startKamailio } from '../fixtures/kamailio.ts';
import type { Peer } from '../fixtures/peer-process.ts';
import { type EngineOptions, type EngineUnderTest, startEngine } from './engine-process.ts';
import { newPair, Site, type Wish, yamlOf } from './site.ts';
import { makeStandbyPbx, type StandbyPbx } from './standby-pbx.ts';

export interface Stage {
  engine: EngineUnderTest;
  active: Peer;
  pbx: StandbyPbx;
  site: Site;
  port: number;
  passive: string;
}

/** What a test asks besides; functions of what is known only then. */
export interface StageWish {
  /** over the commands of the reserve */
  services?: (known: { pbx: StandbyPbx; site: Site; passive: string; port: number }) => Wish['services'];
  scripts?: Readonly<Record<string, string>>;
  heartbeat?: Wish['heartbeat'];
  promotion?: Wish['promotion'];
  more?: Wish['more'];
}

/** Takes what is to be done when the test is over, whatever became of it; last first. */
export type Later = TestContext['onTestFinished'];

/** Puts it up, until the spare is watching. */
export async function putUp(
  later: Later,
  wish: StageWish = {},
  options: EngineOptions | ((dataFolder: string) => EngineOptions) = {},
): Promise<Stage> {
  const { active: address, passive } = newPair();
  const port = await freePort(address);
  const active = await startKamailio({ address, udpPort: port });
  later(() => active.stop());
  const pbx = makeStandbyPbx({ sip: { address: passive, udpPort: port } });
  later(() => pbx.end());
  const site = new Site();
  later(() => site.remove());
  for (const [name, body] of Object.entries(wish.scripts ?? {})) site.script(name, body);
  const services = { ...pbx.services, ...wish.services?.({ pbx, site, passive, port }) };
  const { heartbeat = {}, promotion = {}, more = {} } = wish;
  site.configure(yamlOf({ active: address, passive, tests: { sip: { port } }, services, heartbeat, promotion, more }));
  const engine = await startEngine(site, typeof options === 'function' ? options(site.folder) : options);
  later(() => engine.stop());
  await engine.phase('watching');
  return { engine, active, pbx, site, port, passive };
}
