/** Amounts of data as the reader's language writes them: powers of 1000, as disks are sold. */
import { getLocale } from './paraglide/runtime.js';

const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** `12.3 MB`, `812 MB`, `3,4 GB` */
export function sizeWords(bytes: number): string {
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** step;
  const maximumFractionDigits = step === 0 || value >= 100 ? 0 : 1;
  return new Intl.NumberFormat(getLocale(), { style: 'unit', unit: units[step], maximumFractionDigits }).format(value);
}
