/**
 * What the panel knows, and when it looks again.
 *
 * Law: the last good view stays when a look fails; looking stops while the page is hidden.
 */
import { Signal, type ISignal } from '@lumino/signaling';

import { Api, Refused } from './api.js';
import { read, write } from './memory.js';
import { isGrading, pause, underWay } from './progress.js';
import type { IAssignment, ICheckResult, IFeedback, IOverview, IProgress, IRun } from './wire.js';
import type { Words } from './words.js';

const FRESH_MS = 5_000;
const WHILE_PREPARING_MS = 15_000;
const OTHERWISE_MS = 60_000;
const SEEN = 'bioskills-lab:seen';
const RUN = 'bioskills-lab:run';

/** What happens or happened at one card, lesson or at the next step. */
export interface ISpot {
  busy: string;
  fault: Refused | null;
  done: string;
  check: ICheckResult | null;
  unsent: boolean;
}

const QUIET: ISpot = { busy: '', fault: null, done: '', check: null, unsent: false };

/** State of the panel; `changed` after each change. */
export class Model {
  view: IOverview | null = null;
  fault: Refused | null = null;
  loading = false;
  looked: Date | null = null;
  announcement = '';
  lastFeedback: IFeedback | null = null;

  private readonly spots = new Map<string, ISpot>();
  private readonly seen = new Set<number>();
  private chosen = '';
  private timer = 0;
  private under: Promise<void> = Promise.resolve();
  private readonly signal = new Signal<this, void>(this);

  constructor(
    readonly api: Api,
    readonly trans: Words
  ) {
    this.chosen = read(RUN) ?? '';
    for (const id of (read(SEEN) ?? '').split(',').filter(Boolean)) {
      this.seen.add(Number(id));
    }
    window.addEventListener('focus', this.wake);
    document.addEventListener('visibilitychange', this.wake);
  }

  get changed(): ISignal<this, void> {
    return this.signal;
  }

  get run(): IRun | null {
    const runs = this.view?.runs ?? [];
    return runs.find(run => run.slug === this.chosen) ?? runs.find(run => run.is_open) ?? runs[0] ?? null;
  }

  choose(slug: string): void {
    this.chosen = slug;
    write(RUN, slug);
    this.signal.emit();
    void this.lookAtFeedback();
  }

  spot(key: string): ISpot {
    return this.spots.get(key) ?? QUIET;
  }

  set(key: string, change: Partial<ISpot>): void {
    this.spots.set(key, { ...this.spot(key), ...change });
    this.signal.emit();
  }

  /** Say something to screen readers. */
  announce(text: string): void {
    // The same words twice would not be read again.
    this.announcement = this.announcement === text ? `${text}\u00a0` : text;
    this.signal.emit();
  }

  isSeen(feedbackId: number | null): boolean {
    return feedbackId !== null && this.seen.has(feedbackId);
  }

  markSeen(feedbackId: number): void {
    this.seen.add(feedbackId);
    write(SEEN, [...this.seen].slice(-500).join(','));
    this.signal.emit();
  }

  assignment(run: string, name: string): IAssignment | undefined {
    return this.view?.runs.find(r => r.slug === run)?.assignments.find(a => a.name === name);
  }

  /** Look at the campus now. */
  refresh(): Promise<void> {
    // Whoever asks wants to see what is true from now on: an older look under way is not enough.
    const look = this.under.then(() => this.look());
    this.under = look.catch(() => undefined);
    return look;
  }

  private async look(): Promise<void> {
    window.clearTimeout(this.timer);
    this.loading = true;
    this.signal.emit();
    const before = this.view;
    try {
      this.view = await this.api.get<IOverview>('overview');
      this.fault = null;
      this.looked = new Date();
      this.announceReturns(before);
    } catch (error) {
      this.fault = asRefused(error, this.trans);
    }
    this.loading = false;
    this.plan();
    this.signal.emit();
    void this.lookAtFeedback();
  }

  dispose(): void {
    window.clearTimeout(this.timer);
    window.removeEventListener('focus', this.wake);
    document.removeEventListener('visibilitychange', this.wake);
    Signal.clearData(this);
  }

  private readonly wake = (): void => {
    const old = !this.looked || Date.now() - this.looked.getTime() > FRESH_MS;
    if (!document.hidden && old && !this.loading) {
      void this.refresh();
    }
  };

  private plan(): void {
    const grading = underWay(this.view);
    if (grading.length) {
      // Asks for little, so that it may ask often; also while hidden: the answer is announced.
      this.timer = window.setTimeout(() => void this.follow(grading), this.fault ? FRESH_MS : pause(grading.map(a => a.progress)));
      return;
    }
    // Just after a course was opened its assignments appear one by one.
    const preparing =
      this.view?.runs.some(run => run.is_open && run.assignments.some(a => a.version === null)) ?? false;
    this.timer = window.setTimeout(
      () => (document.hidden ? this.plan() : void this.refresh()),
      preparing ? WHILE_PREPARING_MS : OTHERWISE_MS
    );
  }

  /** Ask how far the gradings are; once one has ended, or nobody answers, look at everything. */
  private async follow(grading: IAssignment[]): Promise<void> {
    let ended = false;
    try {
      for (const a of grading) {
        a.progress = await this.api.get<IProgress>('progress', { id: String(a.submission_id) });
        ended ||= a.progress.state === 'ended';
      }
    } catch {
      ended = true;
    }
    if (this.loading) {
      return; // A look that began meanwhile plans the next one.
    }
    if (ended) {
      void this.refresh();
      return;
    }
    this.plan();
    this.signal.emit();
  }

  private announceReturns(before: IOverview | null): void {
    for (const run of this.view?.runs ?? []) {
      const old = before?.runs.find(r => r.slug === run.slug);
      for (const a of run.assignments) {
        const was = old?.assignments.find(b => b.name === a.name);
        if (was && isGrading(was) && !isGrading(a) && a.feedback_id !== null) {
          this.announce(this.trans.__('Feedback on %1 has arrived.', a.title));
        }
      }
    }
  }

  /** Fetch the newest feedback of the chosen run, once. */
  private async lookAtFeedback(): Promise<void> {
    const back = (this.run?.assignments ?? [])
      .filter(a => a.feedback_id !== null)
      .sort((a, b) => (b.submitted_at ?? '').localeCompare(a.submitted_at ?? ''))[0];
    const known = this.lastFeedback;
    if (!back) {
      this.lastFeedback = null;
      return;
    }
    if (known?.submission_id === back.feedback_id && known?.state === back.state && known.points === back.points) {
      return;
    }
    try {
      this.lastFeedback = await this.api.get<IFeedback>('feedback', { id: String(back.feedback_id) });
    } catch {
      // The card still leads to it, and says there what is wrong.
      return;
    }
    this.signal.emit();
  }
}

/** Any error as sentences. */
export function asRefused(error: unknown, trans: Words): Refused {
  if (error instanceof Refused) {
    return error;
  }
  return new Refused(
    'panel',
    trans.__('The panel could not do that (%1). What you saved is kept.', String(error)),
    trans.__('Reload the page and try again.')
  );
}
