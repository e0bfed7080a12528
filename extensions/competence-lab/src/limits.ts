/**
 * What a lab may use, in sentences: what ended and why, what is nearly full, what to do.
 *
 * Law: pure; a number nobody counts is passed over; each event is said once.
 */
import type { ILimits, IUse } from './wire.js';
import type { Words } from './words.js';

/** Counters of a lab that only grow while it lives. */
export interface ICounters {
  oom_kills: number;
  hits: number;
}

export type Thing = 'memory' | 'processes' | 'home' | 'disk' | 'tmp';

/** What happened or is so, and what to do. */
export interface INotice {
  thing: Thing;
  message: string;
  next: string;
}

/** One thing of which little is left. */
export interface IMeter {
  thing: Thing;
  share: number;
  label: string;
  words: string;
}

const METER_FROM = 0.8;
const FULL_FROM = 0.99;

/** The counters of an answer. */
export function countersOf(limits: ILimits): ICounters {
  return { oom_kills: limits.memory?.oom_kills ?? 0, hits: limits.processes?.hits ?? 0 };
}

/** What happened since the counters were looked at; a lab that was started anew counts from 0. */
export function newsOf(limits: ILimits, before: ICounters, locale: string, trans: Words): INotice[] {
  const now = countersOf(limits);
  const news: INotice[] = [];
  if (grew(now.oom_kills, before.oom_kills) && limits.memory?.limit) {
    news.push({
      thing: 'memory',
      message: trans.__(
        'Your notebook needed more memory than the %1 of your lab, so Python was ended. Your files are safe; values in memory are gone.',
        megabytes(limits.memory.limit, locale)
      ),
      next: trans.__(
        'Restart the kernel if it has not come back and work on fewer records at a time; ask your instructor if the course needs more.'
      )
    });
  }
  if (grew(now.hits, before.hits) && limits.processes?.limit) {
    news.push({
      thing: 'processes',
      message: trans.__(
        'All %1 processes and threads of your lab were in use, so a new one was refused. Your files are safe.',
        plainNumber(limits.processes.limit, locale)
      ),
      next: trans.__(
        'Shut down kernels and terminals you do not need (Running Terminals and Kernels, in the left side bar); ask your instructor if the course needs more.'
      )
    });
  }
  return news;
}

/** What is so at present and hinders work. */
export function stateOf(limits: ILimits, locale: string, trans: Words): INotice[] {
  const { home, tmp } = limits;
  const found: INotice[] = [];
  if (home?.full && home.limit) {
    found.push({
      thing: 'home',
      message: trans.__(
        'Your files take %1 of the %2 you may use, so large files can no longer be saved. What is saved is safe, and you can still hand in.',
        megabytes(home.now ?? 0, locale),
        megabytes(home.limit, locale)
      ),
      next: trans.__('Delete what you do not need in the file browser; a few seconds later saving works again.')
    });
  }
  if (home?.disk_full) {
    found.push({
      thing: 'disk',
      message: trans.__("The server's disk is full, so nothing can be saved. What is saved is safe, and you can still hand in."),
      next: trans.__('Tell your instructor or administrator; files of yours that you delete help at once.')
    });
  }
  if (tmp && shareOf(tmp) >= FULL_FROM) {
    found.push({
      thing: 'tmp',
      message: trans.__('The folder for temporary files, /tmp, is full (%1).', megabytes(tmp.limit ?? 0, locale)),
      next: trans.__('Delete what you do not need there (in a terminal), or stop and start your server.')
    });
  }
  return found;
}

/** The first sentence, and the rest. */
export function split(message: string): [string, string] {
  const end = message.search(/[.?!](\s|$)/) + 1;
  return end ? [message.slice(0, end), message.slice(end)] : [message, ''];
}

/** A meter for each thing of which more than 80 % is used. */
export function metersOf(limits: ILimits, locale: string, trans: Words): IMeter[] {
  const things: [Thing, string, IUse | null | undefined][] = [
    ['memory', trans.__('Memory'), limits.memory],
    ['processes', trans.__('Processes'), limits.processes],
    ['home', trans.__('Files'), limits.home],
    ['tmp', trans.__('Temporary files'), limits.tmp]
  ];
  return things.flatMap(([thing, label, use]) =>
    use && shareOf(use) >= METER_FROM ? [{ thing, label, share: shareOf(use), words: ofWords(thing, use, locale, trans) }] : []
  );
}

function ofWords(thing: Thing, use: IUse, locale: string, trans: Words): string {
  const number = thing === 'processes' ? plainNumber : megabytes;
  return trans.__('%1 of %2', number(use.now ?? 0, locale), number(use.limit ?? 0, locale));
}

function shareOf(use: IUse): number {
  return use.now !== null && use.limit ? use.now / use.limit : 0;
}

function grew(now: number, before: number): boolean {
  return now > (now < before ? 0 : before);
}

function plainNumber(value: number, locale: string): string {
  return new Intl.NumberFormat(locale).format(value);
}

/** Whole megabytes, as the settings count them. */
export function megabytes(bytes: number, locale: string): string {
  return `${plainNumber(Math.round(bytes / (1 << 20)), locale)} MB`;
}
