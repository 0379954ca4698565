/** `estepe config check|show|save|schema|example`: the configuration as a file; needs no running engine. */
import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { openDataFolder } from '../config/data-folder.ts';
import { EXAMPLE_YAML } from '../config/example.ts';
import { configJsonSchema } from '../config/json-schema.ts';
import { checkFile, configFileName } from '../config/load.ts';
import { problemsError } from '../config/problems.ts';
import { saveConfig, standingFile } from '../config/save.ts';
import { type Config, targetOf, toReferences, toTests } from '../config/schema.ts';
import { findEngine } from '../console/engine-client.ts';
import { EstepeError } from '../contract/errors.ts';
import { durationWords } from '../contract/view.ts';
import type { Run } from './session.ts';

export function addConfig(program: Command, run: Run): void {
  const config = program.command('config').helpCommand(false).description('the configuration, estepe.yaml');
  config
    .command('check')
    .description('say whether it can be used, and line by line what is wrong')
    .argument('[file]', 'another file than the data folder’s')
    .action(
      run(async (session, _options, [file]) => {
        const read = readValid(file === undefined ? join(session.dataFolder, configFileName) : resolve(file));
        return {
          exit: 0,
          document: { ok: true, file: read.file },
          text: `${read.file} can be used.\n${summary(read.config)}`,
        };
      }),
    );
  config
    .command('show')
    .description('print the file, and whether the running engine uses it')
    .action(
      run(async (session) => {
        const file = join(session.dataFolder, configFileName);
        const checked = checkFile(file);
        const trouble = await engineTrouble(session.dataFolder);
        const notes = [
          ...(checked.ok ? [] : [`# It cannot be used as it is: \`estepe config check\` says why.`]),
          ...(trouble === null ? [] : [`# The running engine: ${trouble.replaceAll('\n', '\n# ')}`]),
        ];
        const text = [...notes, checked.text?.trimEnd() ?? ''].join('\n');
        return { exit: 0, document: { file, text: checked.text, ok: checked.ok, trouble }, text };
      }),
    );
  config
    .command('save')
    .description('put a checked file in place of estepe.yaml; the one of before is kept beside it')
    .argument('<file>', 'the new one')
    .action(
      run(async (session, _options, [file = '']) => {
        const { root } = openDataFolder(session.dataFolder);
        const { mark } = standingFile(root);
        const checked = checkFile(resolve(file));
        if (!checked.ok || checked.text === null)
          throw problemsError(basename(file), checked.ok ? [] : checked.problems);
        const end = saveConfig(root, checked.text, mark);
        if (!end.saved) {
          throw new EstepeError(
            'refused',
            'estepe.yaml was changed just now; nothing was written.',
            'look at it, then try again',
          );
        }
        const kept = end.kept === null ? '' : ` The one of before is ${end.kept}.`;
        const text = `${join(root, configFileName)} is saved; a running engine takes it over.${kept}`;
        return { exit: 0, document: { saved: true, kept: end.kept }, text };
      }),
    );
  config
    .command('schema')
    .description('print the JSON schema of estepe.yaml, for editors')
    .action(
      run(async () => {
        const schema = configJsonSchema();
        return { exit: 0, document: schema, text: JSON.stringify(schema, null, 2) };
      }),
    );
  config
    .command('example')
    .description('print a commented estepe.yaml to start from')
    .action(run(async () => ({ exit: 0, document: { text: EXAMPLE_YAML }, text: EXAMPLE_YAML.trimEnd() })));
}

/** @throws EstepeError `config` with every problem, its line and what is allowed */
function readValid(file: string): { file: string; config: Config } {
  const checked = checkFile(file);
  if (!checked.ok) throw problemsError(basename(file), checked.problems);
  return { file, config: checked.config };
}

function summary(config: Config): string {
  const { pair, heartbeat, promotion } = config;
  const target = targetOf(config);
  const tests = toTests(config).map(({ id }) => id);
  const references = toReferences(config).map(({ id }) => id);
  return [
    `This node is ${config.role} and watches ${target.address} (${pair.fqdn}) every ${durationWords(heartbeat.interval)}`,
    `with ${tests.join(', ') || 'no test'}, failWhen ${heartbeat.failWhen}, references ${references.join(', ') || 'none'}; promotion ${promotion.mode}.`,
  ].join('\n');
}

/** What a running engine says of the file it was last given; null when it is content, or when none runs. */
async function engineTrouble(dataFolder: string): Promise<string | null> {
  try {
    return (await findEngine(dataFolder).call((client) => client.config.show())).trouble;
  } catch (error) {
    if (error instanceof EstepeError && error.code === 'no-engine') return null;
    throw error;
  }
}
