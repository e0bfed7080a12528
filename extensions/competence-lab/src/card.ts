/**
 * What an assignment card says and does in each state.
 *
 * Law: pure; one card has one button and its label is the state.
 */
import { absolute, both } from './dates.js';
import type { IAssignment } from './wire.js';
import { progressSentence } from './progress.js';
import { outcomeNames, percent, pointsOf, type ILook, type Words } from './words.js';

export type Act = 'start' | 'open' | 'check' | 'hand-in' | 'receipt' | 'feedback';

export type Stage =
  | 'not_open'
  | 'new'
  | 'draft'
  | 'checked'
  | 'failed'
  | 'unsent'
  | 'grading'
  | 'with_person'
  | 'returned'
  | 'again'
  | 'closed'
  | 'excused';

export interface IButton {
  act: Act;
  label: string;
}

/** A line with the moment it speaks of. */
export interface ILine {
  text: string;
  iso?: string;
}

export interface ICard {
  stage: Stage;
  look: ILook;
  meta: ILine[];
  say: string[];
  button: IButton | null;
  also: IButton[];
}

/** What only this browser knows. */
export interface IHere {
  /** The last hand-in did not arrive. */
  unsent: boolean;
  /** The feedback was looked at. */
  seen: boolean;
  now: Date;
  locale: string;
}

/** Whether another attempt would be taken and could gain something. */
export function mayTryAgain(a: IAssignment, now: Date): boolean {
  const left = a.max_attempts === null || a.attempt < a.max_attempts;
  const open = !a.closed_early && (a.closes_at === null || new Date(a.closes_at) > now);
  const gain = a.points === null || Number(a.points) < Number(a.max_points);
  return left && open && gain && a.attempt > 0;
}

/** The stage of a card. */
export function stageOf(a: IAssignment, here: IHere): Stage {
  const working = a.local.started && (a.state === 'new' || a.state === 'excused' || a.local.again);
  if (a.state === 'not_open' || a.state === 'closed') {
    return a.state;
  }
  if (a.state === 'handed_in' || a.state === 'grading') {
    return 'grading';
  }
  if (working) {
    return here.unsent ? 'unsent' : a.local.checked === null ? 'draft' : a.local.checked ? 'checked' : 'failed';
  }
  if (a.state === 'new' || a.state === 'excused') {
    return a.state;
  }
  if (a.state !== 'published') {
    return 'with_person';
  }
  return here.seen && mayTryAgain(a, here.now) ? 'again' : 'returned';
}

/** Everything a card shows. */
export function cardOf(a: IAssignment, here: IHere, trans: Words): ICard {
  const stage = stageOf(a, here);
  return {
    stage,
    look: lookOf(a, stage, trans),
    meta: metaOf(a, stage, here, trans),
    say: sayOf(a, stage, here, trans),
    button: buttonOf(a, stage, trans),
    also: alsoOf(a, stage, here, trans)
  };
}

function score(a: IAssignment, trans: Words): ILook {
  const share = percent(a.points, a.max_points);
  const full = share !== null && share >= 100;
  const good = a.passed ?? full;
  return {
    style: good ? 's-done' : 's-dev',
    icon: good ? 'done' : 'dev',
    text: share === null ? trans.__('Returned') : trans.__('%1 %', share)
  };
}

function lookOf(a: IAssignment, stage: Stage, trans: Words): ILook {
  switch (stage) {
    case 'not_open':
      return { style: 's-none', icon: 'none', text: trans.__('Not open yet') };
    case 'new':
      return { style: 's-none', icon: 'none', text: trans.__('New') };
    case 'draft':
      return { style: 's-none', icon: 'none', text: trans.__('Draft saved') };
    case 'checked':
      return { style: 's-done', icon: 'done', text: trans.__('Checks pass') };
    case 'failed':
      return { style: 's-dev', icon: 'dev', text: trans.__('Not passing yet') };
    case 'unsent':
      return { style: 's-bad', icon: 'bad', text: trans.__('Not handed in') };
    case 'grading':
      return { style: 's-wait', icon: 'wait', text: trans.__('Being graded') };
    case 'with_person':
      return { style: 's-wait', icon: 'wait', text: trans.__('With assessor') };
    case 'excused':
      return { style: 's-rpl', icon: 'rpl', text: trans.__('Excused') };
    case 'closed':
      return a.points === null
        ? { style: 's-past', icon: 'past', text: trans.__('Closed') }
        : score(a, trans);
    default:
      return score(a, trans);
  }
}

function metaOf(a: IAssignment, stage: Stage, here: IHere, trans: Words): ILine[] {
  const lines: ILine[] = [];
  const at = (iso: string) => absolute(iso, here.now, here.locale, trans);
  const returned = stage === 'returned' || stage === 'again' || (stage === 'closed' && a.points !== null);
  if (returned || stage === 'with_person') {
    lines.push({ text: attempts(a, trans) });
  }
  if ((returned || stage === 'with_person') && a.points !== null) {
    const text = pointsOf(a.points, a.max_points, trans);
    lines.push({ text: stage === 'with_person' ? trans.__('%1 so far', text) : text });
  }
  if ((stage === 'grading' || stage === 'with_person') && a.submitted_at) {
    lines.push({ text: trans.__('Handed in %1 · receipt %2', at(a.submitted_at), a.receipt ?? '-'), iso: a.submitted_at });
  }
  if (stage === 'closed' && a.closes_at && !a.closed_early) {
    lines.push({ text: trans.__('Closed %1', at(a.closes_at)), iso: a.closes_at });
  }
  if (['new', 'draft', 'checked', 'failed', 'unsent', 'not_open', 'again'].includes(stage)) {
    lines.push(...dueLines(a, here, trans));
  }
  if ((stage === 'again' || stage === 'with_person') && a.next_attempt_at && new Date(a.next_attempt_at) > here.now) {
    lines.push({ text: trans.__('Next attempt from %1', at(a.next_attempt_at)), iso: a.next_attempt_at });
  }
  if (a.proves.length && stage !== 'grading' && stage !== 'unsent') {
    const names = outcomeNames(a.proves);
    lines.push({ text: a.kind === 'practice' ? trans.__('Practises %1', names) : trans.__('Proves %1', names) });
  }
  return lines;
}

function dueLines(a: IAssignment, here: IHere, trans: Words): ILine[] {
  if (!a.due_at) {
    return [{ text: trans.__('No due date · about %1 minutes', a.minutes) }];
  }
  const when = both(a.due_at, here.now, here.locale, trans);
  const lines: ILine[] = [
    { text: a.extended ? trans.__('Due %1, extended for you', when) : trans.__('Due %1', when), iso: a.due_at }
  ];
  if (a.late) {
    lines.push({ text: a.late });
  } else if (new Date(a.due_at) < here.now && a.closes_at && new Date(a.closes_at) > here.now) {
    const until = absolute(a.closes_at, here.now, here.locale, trans);
    lines.push({ text: trans.__('Late work is taken until %1.', until), iso: a.closes_at });
  }
  return lines;
}

function attempts(a: IAssignment, trans: Words): string {
  if (a.max_attempts === null) {
    return trans.__('Attempt %1, as many as you like', a.attempt);
  }
  const left = Math.max(0, a.max_attempts - a.attempt);
  return trans.__('Attempt %1 of %2 · %3 left', a.attempt, a.max_attempts, left);
}

function sayOf(a: IAssignment, stage: Stage, _here: IHere, trans: Words): string[] {
  const say: string[] = [];
  if (stage === 'new' && a.summary) {
    say.push(a.summary);
  }
  if (a.closed_early && stage !== 'grading' && stage !== 'with_person') {
    say.push(trans.__('Your instructor has closed it: nothing can be handed in now. Your files stay where they are.'));
  }
  if (stage === 'grading') {
    say.push(progressSentence(a.progress, trans), trans.__('You can close this page.'));
  }
  if (stage === 'with_person' && a.feedback_id !== null && !a.message) {
    say.push(trans.__('The automatic part is back. A person reads the rest within five working days.'));
  }
  const older = a.local.started && a.local.version !== null && a.version !== null && a.local.version < a.version;
  if (older && ['draft', 'checked', 'failed', 'unsent'].includes(stage)) {
    say.push(trans.__('A newer version of this assignment was released. To get it, rename your folder and press Start again.'));
  }
  if (a.message && stage !== 'unsent') {
    say.push(a.message);
  }
  return say;
}

function buttonOf(a: IAssignment, stage: Stage, trans: Words): IButton | null {
  const feedback: IButton = { act: 'feedback', label: trans.__('See feedback') };
  const receipt: IButton = { act: 'receipt', label: trans.__('See receipt') };
  switch (stage) {
    case 'new':
    case 'excused': // who wants to may still do it
      return { act: 'start', label: trans.__('Start') };
    case 'draft':
    case 'failed':
      return { act: 'check', label: trans.__('Check my work') };
    case 'checked':
      return { act: 'hand-in', label: trans.__('Hand in') };
    case 'unsent':
      return { act: 'hand-in', label: trans.__('Try to hand in again') };
    case 'grading':
      return receipt;
    case 'again':
      return { act: 'start', label: trans.__('Try again') };
    case 'with_person':
      return a.feedback_id !== null ? feedback : receipt;
    case 'returned':
    case 'closed':
      return a.feedback_id !== null ? feedback : a.receipt ? receipt : null;
    default:
      return null;
  }
}

function alsoOf(a: IAssignment, stage: Stage, here: IHere, trans: Words): IButton[] {
  const also: IButton[] = [];
  const drafting = ['draft', 'checked', 'failed', 'unsent'].includes(stage);
  if (drafting || (stage === 'closed' && a.local.started)) {
    also.push({ act: 'open', label: trans.__('Open notebook') });
  }
  if (stage === 'draft' || stage === 'failed') {
    also.push({ act: 'hand-in', label: trans.__('Hand in without checking') });
  }
  if (stage === 'checked') {
    also.push({ act: 'check', label: trans.__('Check once more') });
  }
  if (stage === 'with_person' && a.feedback_id !== null && mayTryAgain(a, here.now)) {
    also.push({ act: 'start', label: trans.__('Try again') });
  }
  if (a.feedback_id !== null && (drafting || stage === 'again' || stage === 'grading')) {
    also.push({ act: 'feedback', label: trans.__('See feedback') });
  }
  return also;
}
