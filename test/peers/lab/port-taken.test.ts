/** The lab on a machine that has a PBX of its own: a network namespace, so that no other test meets the port that is held everywhere. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { documentOf, estepe, temporaryFolder } from '../../unit/cli/estepe-process.ts';
import { patienceMs, startLabInside } from '../../unit/lab/lab-process.ts';
import { layCable } from '../fixtures/netns.ts';
import { startPeer } from '../fixtures/peer-process.ts';
import { describeWithPeers, programPath } from '../fixtures/require-peer.ts';
import { until } from '../fixtures/until.ts';

// A whole takeover; a busy machine takes its time.
vi.setConfig({ testTimeout: 180_000 });

/** A PBX of that machine as the lab sees it: a port held on every address. */
const holding = (port: number): string =>
  `require('node:dgram').createSocket('udp4').bind(${port}, '0.0.0.0', () => console.log('held'))`;

describeWithPeers('estepe lab --data', ['netns'], () => {
  it('a wrong outcome exits 1 and says why; a PBX of this machine keeps its port; the folder is left as it is', async ({
    onTestFinished: later,
  }) => {
    const cable = await layCable();
    later(() => cable.remove());
    const { netns } = cable.left;
    const pbx = await startPeer({
      argv: [process.execPath, '-e', holding(5060)],
      folder: mkdtempSync(join(tmpdir(), 'estepe-port-taken-')),
      netns,
      ready: ({ output }) => output().includes('held'),
    });
    later(() => pbx.stop());
    const folder = temporaryFolder();
    later(() => folder.remove());
    const inside = [programPath('ip') ?? 'ip', 'netns', 'exec', netns];
    const lab = startLabInside(inside, '--json', '--data', folder.path);
    const script = join(folder.path, 'scripts', 'end-old-active.sh');
    await until('the folder is furnished', () => existsSync(join(folder.path, 'estepe.yaml')), patienceMs);
    writeFileSync(script, '#!/bin/sh\necho "The switch does not answer."\nexit 2\n');
    const ended = await lab.ended;
    expect(ended.exit).toBe(1);
    expect(documentOf(ended)).toMatchObject({
      ...{ scenario: 'kill-active', right: false, promoted: false, phase: 'halted', dataFolder: folder.path },
      reason: expect.stringMatching(
        /^the spare did not take over \(it is halted\); .*127\.\d+\.\d+\.2 does not answer/,
      ),
    });
    expect(readFileSync(join(folder.path, 'estepe.yaml'), 'utf8')).toContain('sip: { port: 10060 }');
    expect(existsSync(join(folder.path, 'estepe.db'))).toBe(true);
    await lab.expectNothingLeft();
    const again = await estepe('lab', '--data', folder.path);
    expect(again.err).toBe(`${folder.path} is not empty.\nName an empty folder, or one that is not there yet.\n`);
    expect(again.exit).toBe(2);
  });
});
