/** The points that a whole restore of one folder passes, in order, and what marks the commands between them. */
export const points = [
  'list',
  'fetch',
  'prove',
  'staging',
  // told as progress
  'restore',
  'staged',
  'stopping',
  'stopped',
  'swapping',
  'before old 0',
  'after old 0',
  'after new 0',
  'swapped',
  'after done',
  'cleaning',
  'removed 0',
  'journal removed',
  'end',
] as const;

export const noteCommand = (file: string, text: string): string[] => [
  process.execPath,
  '-e',
  `fs.appendFileSync(${JSON.stringify(file)}, ${JSON.stringify(`${text}\n`)})`,
];
