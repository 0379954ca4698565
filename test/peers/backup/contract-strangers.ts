/** What others keep in the same folder is neither listed, nor in the way; nor are odd names of folders. */
import { chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { user } from '../fixtures/file-server.ts';
import { namesIn, never, newName, noise, put, type Rig } from './rig.ts';

const strange = [
  'NT_STATUS_LOGON_FAILURE.txt',
  "a 'quoted' name; del x.zip",
  '100%25 %s %n.zip',
  'Sicherung für größere Häuser.zip',
  '电话.zip',
  '-rf',
  ' leads with a blank.zip',
];

export function strangers(rig: () => Rig): void {
  it('D7 shows nothing of what strangers keep there, and is not put out by it', async () => {
    const folder = newName();
    const location = rig().open({ folder });
    await put(location, 'a.zip', noise(100));
    const root = join(rig().home, folder);
    for (const name of strange) writeFileSync(join(root, name), 'x');
    symlinkSync('/nowhere', join(root, 'dangling'));
    mkdirSync(join(root, 'of root'), { mode: 0o700 });
    mkdirSync(join(root, 'NT_STATUS_ACCESS_DENIED'));
    chownSync(join(root, 'NT_STATUS_ACCESS_DENIED'), user.id, user.id);
    const shown = (await namesIn(location)).filter((name) => !name.startsWith('NT_STATUS'));
    expect(shown).toEqual(['a.zip']);
    await put(location, 'b.zip', noise(100));
    expect((await location.stat('b.zip', never))?.size).toBe(100);
    await location.remove('a.zip', never);
    expect(await location.createExclusive('epoch-1', 'me', never)).toBe(true);
  });

  it('D7 a folder there that is closed to this user hides nothing beside it', async () => {
    const folder = newName();
    const location = rig().open({ folder });
    await put(location, 'a.zip', noise(100));
    mkdirSync(join(rig().home, folder, 'closed'), { mode: 0o700 });
    expect(await namesIn(location)).toEqual(['a.zip']);
  });

  it('D7 keeps its word in folders whose names command lines and addresses would read', async () => {
    for (const folder of ['größer & 100%25 电话', "it's [a-z] {x} 50%s"]) {
      const location = rig().open({ folder: `${newName()} ${folder}` });
      await put(location, 'a.zip', noise(100));
      expect(await namesIn(location)).toEqual(['a.zip']);
      expect(await location.createExclusive('epoch-1', 'me', never)).toBe(true);
      expect(await location.createExclusive('epoch-1', 'you', never)).toBe(false);
      await location.remove('a.zip', never);
      expect(await location.stat('a.zip', never)).toBeNull();
    }
  });
}
