/**
 * When to ask what the lab uses, and what of the answer is still to be said.
 *
 * Law: asked at once when a kernel died or saving failed, else once a minute while the page
 * is visible; an event is said once, also after a reload; where nobody knows, nobody asks again.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { Signal, type ISignal } from '@lumino/signaling';

import type { Api } from './api.js';
import { countersOf, metersOf, newsOf, split, stateOf, type ICounters, type IMeter, type INotice, type Thing } from './limits.js';
import { read, write } from './memory.js';
import type { ILimits } from './wire.js';
import type { Words } from './words.js';

const EVERY_MS = 60_000;
const AGAIN_MS = 4_000;
const COUNTED = 'bioskills-lab:counted';
const DEAD = ['autorestarting', 'dead'];

/** The limits of this lab as the panel shows them; `changed` after each change. */
export class LabWatch {
  happened: INotice[] = [];
  present: INotice[] = [];
  meters: IMeter[] = [];

  private counted: ICounters;
  private timer = 0;
  private gone = false;
  private asked = 0;
  private readonly toasts = new Map<Thing, string>();
  private readonly signal = new Signal<this, void>(this);

  constructor(
    private readonly api: Api,
    private readonly trans: Words,
    private readonly locale: string,
    private readonly show: () => void
  ) {
    this.counted = counted();
    document.addEventListener('visibilitychange', this.wake);
  }

  get changed(): ISignal<this, void> {
    return this.signal;
  }

  /** Notice dead kernels and failed saves of every notebook and text that is opened. */
  attach(app: JupyterFrontEnd): void {
    for (const kind of ['Notebook', 'Editor']) {
      app.docRegistry.addWidgetExtension(kind, { createNew: (_widget, context) => this.follow(context) });
    }
  }

  /** The reader has read what happened. */
  dismiss(thing: Thing): void {
    this.happened = this.happened.filter(notice => notice.thing !== thing);
    this.unsay(thing);
    this.signal.emit();
  }

  dispose(): void {
    this.gone = true;
    window.clearTimeout(this.timer);
    document.removeEventListener('visibilitychange', this.wake);
    Signal.clearData(this);
  }

  /** Ask now; a lab that nobody limits is not asked again. */
  async look(): Promise<void> {
    window.clearTimeout(this.timer);
    this.asked = Date.now();
    let found: ILimits | null = null;
    try {
      found = await this.api.get<ILimits>('limits');
    } catch {
      // The panel says elsewhere that the server is away.
    }
    if (this.gone || (found && !found.known)) {
      return;
    }
    if (found) {
      this.take(found);
    }
    this.timer = window.setTimeout(this.wake, EVERY_MS);
  }

  private readonly wake = (): void => {
    if (!document.hidden && Date.now() - this.asked >= EVERY_MS) {
      void this.look();
    } else {
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(this.wake, EVERY_MS);
    }
  };

  private follow(context: DocumentRegistry.IContext<DocumentRegistry.IModel>): void {
    context.sessionContext.statusChanged.connect((_, status) => {
      if (DEAD.includes(status)) {
        void this.look();
      }
    });
    context.saveState.connect((_, state) => {
      if (state === 'failed') {
        void this.look();
        // The home is measured every few seconds only.
        window.setTimeout(() => void this.look(), AGAIN_MS);
      }
    });
  }

  private take(found: ILimits): void {
    const news = newsOf(found, this.counted, this.locale, this.trans);
    const present = stateOf(found, this.locale, this.trans);
    const known = new Set(this.present.map(notice => notice.thing));
    this.counted = countersOf(found);
    write(COUNTED, JSON.stringify(this.counted));
    this.happened = [...this.happened.filter(old => !news.some(one => one.thing === old.thing)), ...news];
    this.present = present;
    this.meters = metersOf(found, this.locale, this.trans);
    [...news, ...present.filter(notice => !known.has(notice.thing))].forEach(notice => this.say(notice));
    known.forEach(thing => !present.some(notice => notice.thing === thing) && this.unsay(thing));
    this.signal.emit();
  }

  /** Show it where the learner looks, whatever panel is open. */
  private say(notice: INotice): void {
    this.unsay(notice.thing);
    const actions = [{ label: this.trans.__('What to do'), callback: this.show }];
    // Lab cuts after 140 characters: the first sentence there, all of it in the panel.
    this.toasts.set(notice.thing, Notification.warning(split(notice.message)[0], { autoClose: false, actions }));
  }

  private unsay(thing: Thing): void {
    const toast = this.toasts.get(thing);
    if (toast) {
      Notification.dismiss(toast);
      this.toasts.delete(thing);
    }
  }
}

function counted(): ICounters {
  try {
    const { oom_kills, hits } = JSON.parse(read(COUNTED) ?? '{}') as Partial<ICounters>;
    return { oom_kills: Number(oom_kills) || 0, hits: Number(hits) || 0 };
  } catch {
    return { oom_kills: 0, hits: 0 };
  }
}
