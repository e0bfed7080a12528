/**
 * Where a hand-in is in the queue and how far its grading is, in words and in looks.
 *
 * Law: pure; a time is said only where the campus measured one.
 */
import type { IAssignment, IOverview, IProgress } from './wire.js';
import type { Words } from './words.js';

const MINUTES_FROM_S = 90;
const SOON_MS = 1_000;
const NEAR_MS = 2_000;
const FAR_MS = 5_000;
const VERY_FAR_MS = 10_000;
const NEAR = 4;
const FAR = 40;

/** `Place 3 in the queue, about 20 seconds.` or `Running: 7 of 14 cells.` */
export function progressSentence(p: IProgress | null | undefined, trans: Words): string {
  switch (p?.state) {
    case 'running':
      return p.of > 0 ? trans.__('Running: %1 of %2 cells.', p.done, p.of) : trans.__('It is being graded now.');
    case 'again':
      return trans.__('A first try failed; it is tried again by itself. Your work is safe.');
    case 'queued':
      return p.place === null ? trans.__('It waits to be graded.') : placeSentence(p.place, p.seconds, trans);
    case 'ended':
      return trans.__('It is graded; the result is on its way.');
    default:
      return trans.__('It waits to be graded.');
  }
}

function placeSentence(place: number, seconds: number | null, trans: Words): string {
  if (seconds === null) {
    return trans.__('Place %1 in the queue.', place);
  }
  const time =
    seconds <= MINUTES_FROM_S
      ? trans._n('about %1 second', 'about %1 seconds', seconds)
      : trans._n('about %1 minute', 'about %1 minutes', Math.ceil(seconds / 60));
  return trans.__('Place %1 in the queue, %2.', place, time);
}

/** When to ask again: often where the answer is near, seldom far back in the queue. */
export function pause(found: (IProgress | null | undefined)[]): number {
  if (found.some(p => p?.state === 'running')) {
    return SOON_MS;
  }
  const places = found.map(p => p?.place ?? NEAR + 1);
  const nearest = Math.min(...places);
  return nearest <= NEAR ? NEAR_MS : nearest <= FAR ? FAR_MS : VERY_FAR_MS;
}

/** All hand-ins that the machine has still to answer. */
export function underWay(view: IOverview | null): IAssignment[] {
  return (view?.runs ?? []).flatMap(run => run.assignments.filter(isGrading));
}

/** Whether the machine has still to answer. */
export function isGrading(a: IAssignment): boolean {
  return a.state === 'handed_in' || a.state === 'grading';
}
