/**
 * Numbers, codes and states as words.
 *
 * Law: pure; every string passes through the translator.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { OutcomeStatus } from './wire.js';

/** Lab's translator: in `_n` the number itself is `%1`, further values follow. */
export type Words = Pick<TranslationBundle, '__' | '_n'>;

/** A look of the status set: class, icon and short words. */
export interface ILook {
  style: string;
  icon: string;
  text: string;
}

/** `BSH-U04-S1`, `BSH-U04-K2` -> `U04 S1, K2`. */
export function outcomeNames(ids: string[]): string {
  const units = new Map<string, string[]>();
  for (const id of ids) {
    const [unit, ...rest] = id.replace(/^[A-Z]+-(?=U\d)/, '').split('-');
    units.set(unit, [...(units.get(unit) ?? []), rest.join('-')]);
  }
  return [...units].map(([unit, names]) => `${unit} ${names.join(', ')}`.trim()).join('; ');
}

/** `BSH-U04` -> `U04`. */
export function unitName(code: string): string {
  return code.replace(/^[A-Z]+-(?=U\d)/, '');
}

/** Whole percent of two decimal strings; null without a maximum. */
export function percent(points: string | null, max: string): number | null {
  const most = Number(max);
  if (points === null || points === '' || !(most > 0)) {
    return null;
  }
  // Down, so that 69.9 never reads as the 70 that would be enough.
  return Math.floor((Number(points) / most) * 100 + 1e-9);
}

const POINTS = { maximumFractionDigits: 2 };
const TENTHS = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
let numbers = new Intl.NumberFormat('en-GB', POINTS);
let tenths = new Intl.NumberFormat('en-GB', TENTHS);

/** Write numbers as the readers of a language do, from here on: said once, when the panel begins. */
export function writeNumbers(locale: string): void {
  numbers = new Intl.NumberFormat(locale, POINTS);
  tenths = new Intl.NumberFormat(locale, TENTHS);
}

/** Decimal string for people, without trailing zeros: `7.50` -> `7.5`, in German `7,5`. */
export function plain(number: string): string {
  return /^-?\d+(\.\d+)?$/.test(number) ? numbers.format(Number(number)) : number;
}

/** `7.5 of 11 points`. */
export function pointsOf(points: string | null, max: string, trans: Words): string {
  return points === null
    ? trans.__('%1 points, not graded yet', plain(max))
    : trans.__('%1 of %2 points', plain(points), plain(max));
}

/** Bytes for a person. */
export function size(bytes: number): string {
  return bytes < 1024
    ? `${bytes} B`
    : bytes < 1 << 20
      ? `${Math.round(bytes / 1024)} KB`
      : `${tenths.format(bytes / (1 << 20))} MB`;
}

/** The look of an outcome's status. */
export function statusLook(status: OutcomeStatus, trans: Words): ILook {
  const looks: Record<OutcomeStatus, ILook> = {
    not_assessed: { style: 's-none', icon: 'none', text: trans.__('Not assessed yet') },
    developing: { style: 's-dev', icon: 'dev', text: trans.__('Developing') },
    pending: { style: 's-wait', icon: 'wait', text: trans.__('Waiting for assessor') },
    achieved: { style: 's-done', icon: 'done', text: trans.__('Achieved') },
    exceeded: { style: 's-top', icon: 'top', text: trans.__('Exceeded') },
    granted_rpl: { style: 's-rpl', icon: 'rpl', text: trans.__('Prior learning') },
    under_review: { style: 's-review', icon: 'review', text: trans.__('Under review') },
    expired: { style: 's-past', icon: 'past', text: trans.__('Expired') },
    withdrawn: { style: 's-bad', icon: 'bad', text: trans.__('Withdrawn') }
  };
  return looks[status] ?? looks.not_assessed;
}
