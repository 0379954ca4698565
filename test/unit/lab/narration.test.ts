/** What the lab prints, and that it leaves nothing whenever it is stopped. */

import { readdirSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { until } from '../../peers/fixtures/until.ts';
import { type LabUnderTest, patienceMs, startLab } from './lab-process.ts';

vi.setConfig({ testTimeout: 180_000 });

describe.skipIf(process.platform !== 'linux')('without a terminal', () => {
  it('plays kill-active once and tells it in sentences with times and rules', async () => {
    const lab = startLab();
    const { exit, out, err } = await lab.ended;
    await lab.expectNothingLeft();
    expect(err).toBe('');
    expect(exit).toBe(0);
    const lines = out.split('\n');
    const story = lines.filter((line) => /^ *\+\d+\.\d s {2}\S/.test(line));
    const inOrder = [
      /The spare has seen the active healthy and watches it\. \[starting\.healthy\]$/,
      /We kill the active's PBX on 127\.\d+\.\d+\.1 \(process \d+\), as a crash would\.$/,
      /The active's SIP, web and tunnel stopped answering \(.*\)\.$/,
      /A round failed, which proves nothing yet: .* \[watching\.failed-round\]$/,
      /4 rounds in a row failed and every guard holds: the active is dead\..* \[suspecting\.down-automatic\]$/,
      /Step: Ask the guards: each of them holds\.$/,
      /Step: Claim the epoch: epoch 1 is ours\.$/,
      /Step: Run the before-script: “Nothing is left of the old active on 127\.\d+\.\d+\.1\.”$/,
      /Step: Start the services: “The lab's PBX answers on 127\.\d+\.\d+\.2 \(process \d+\)\.”$/,
      /Step: Prove that the PBX answers here: it answers here after .*\.$/,
      /Step: Run the after-script: “Wrote .*promoted\.txt\.”$/,
      /The spare is the active node now, under epoch 1\. \[promoting\.done\]$/,
    ];
    const places = inOrder.map((sentence) => story.findIndex((line) => sentence.test(line)));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places, out).not.toContain(-1);
    const times = story.map((line) => Number.parseFloat(line.trim().slice(1)));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(out).toMatch(
      /\nAs it should be: The spare took over under epoch 1 .* death proven \d+\.\d s after the kill/,
    );
    expect(out.endsWith('The lab is down; nothing of it is left.\n')).toBe(true);
    // Nobody sits there: neither the console's key nor the keys are of use.
    expect(out).not.toMatch(/token|Keys:/);
  });
});

describe.skipIf(process.platform !== 'linux').concurrent('stopped at any instant, it leaves nothing', () => {
  const folderMade = (lab: LabUnderTest) =>
    until('the lab has made its folder', () => readdirSync(lab.temporary).length > 0, patienceMs);
  it.each<[string, string, (lab: LabUnderTest) => Promise<unknown>]>([
    ['while it is put up', 'kill-active', folderMade],
    ['once it is up', 'kill-active', (lab) => lab.said('A pair on this machine')],
    ['with a hung active', 'hang-active', (lab) => lab.said('2 of 4 rounds')],
    ['while the services start', 'hang-active', (lab) => lab.said('Step: Run the before-script')],
    ['when the spare serves', 'kill-active', (lab) => lab.said('Step: Start the services')],
    ['with the cable pulled', 'isolate-passive', (lab) => lab.said('Beyond the cut')],
    ['while the active returns', 'flap', (lab) => lab.said('It is back')],
  ])('%s', async (_when, scenario, moment) => {
    const lab = startLab('--scenario', scenario);
    await moment(lab);
    lab.signal('SIGINT');
    const { exit, out, err } = await lab.ended;
    await lab.expectNothingLeft();
    expect(err).toBe('');
    expect(out).toMatch(/\nNot as it should be: the lab was stopped by SIGINT\.\n/);
    expect(exit).toBe(1);
  });
});
