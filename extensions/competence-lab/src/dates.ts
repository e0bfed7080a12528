/**
 * Times as a learner reads them: in the browser's zone, absolute first, relative beside it.
 *
 * Law: pure; `now` is always given.
 */
import type { Words } from './words.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The locale for dates: Lab's `en` means day before month here. */
export function localeOf(language: string): string {
  const code = (language || 'en').replace('_', '-');
  return code === 'en' ? 'en-GB' : code;
}

/** Days between two moments on the local calendar. */
function daysBetween(from: Date, to: Date): number {
  const midnight = (d: Date) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
  return Math.round((midnight(to) - midnight(from)) / DAY);
}

/** `today, 14:02`, `tomorrow, 09:00`, `Fri 19 March, 18:00` or `11 March 2027, 09:00`. */
export function absolute(iso: string, now: Date, locale: string, trans: Words, named = true): string {
  const at = new Date(iso);
  const days = daysBetween(now, at);
  const clock = new Intl.DateTimeFormat(locale, {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23'
  }).format(at);
  const day = named || days === 0 ? nearName(days, trans) : '';
  return trans.__('%1, %2', day || dateName(at, days, now, locale), clock);
}

function nearName(days: number, trans: Words): string {
  if (days === 0) {
    return trans.__('today');
  }
  return days === 1 ? trans.__('tomorrow') : days === -1 ? trans.__('yesterday') : '';
}

function dateName(at: Date, days: number, now: Date, locale: string): string {
  const near = days > 0 && days <= 14;
  return new Intl.DateTimeFormat(locale, {
    weekday: near ? 'short' : undefined,
    day: 'numeric',
    month: 'long',
    year: at.getFullYear() === now.getFullYear() || near ? undefined : 'numeric'
  })
    .format(at)
    .replace(/^(\p{L}+\.?),/u, '$1');
}

/** `in 28 hours`, `3 days ago`; empty beyond two weeks. */
export function relative(iso: string, now: Date, locale: string): string {
  const span = new Date(iso).getTime() - now.getTime();
  const size = Math.abs(span);
  const say = new Intl.RelativeTimeFormat(locale, { numeric: 'always' });
  if (size < HOUR) {
    return say.format(Math.trunc(span / MINUTE), 'minute');
  }
  if (size < 2 * DAY) {
    return say.format(Math.trunc(span / HOUR), 'hour');
  }
  return size <= 14 * DAY ? say.format(Math.trunc(span / DAY), 'day') : '';
}

/** `Fri 19 March, 18:00 (in 28 hours)`: a due date keeps its day of the week. */
export function both(iso: string, now: Date, locale: string, trans: Words): string {
  const near = relative(iso, now, locale);
  const at = absolute(iso, now, locale, trans, false);
  return near ? trans.__('%1 (%2)', at, near) : at;
}
