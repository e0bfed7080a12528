/**
 * What happens at a click.
 *
 * Law: work is saved before it is checked or handed in; one thing at a time per card;
 * every end, good or bad, is a sentence at the card and in the live region.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, MainAreaWidget, showDialog } from '@jupyterlab/apputils';
import { DocumentWidget } from '@jupyterlab/docregistry';

import { Refused } from './api.js';
import type { Act } from './card.js';
import { receiptBody, untouchedBody } from './dialogs.js';
import { FeedbackView } from './feedback.js';
import { trainingIcon } from './icons.js';
import { asRefused, type Model } from './model.js';
import type { IAssignment, ICheckResult, IFeedback, IHandedIn, INextStep, IPlace, IRun } from './wire.js';

/** All actions of the panel. */
export class Actions {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly model: Model,
    private readonly locale: string
  ) {}

  async act(act: Act, run: IRun, a: IAssignment): Promise<void> {
    switch (act) {
      case 'start':
        return this.start(run, a);
      case 'open':
        return this.openFile(a.local.path);
      case 'check':
        return this.check(run, a);
      case 'hand-in':
        return this.handIn(run, a);
      case 'receipt':
        return this.receipt(a);
      case 'feedback':
        return this.feedback(a.feedback_id, a.title);
    }
  }

  async next(run: IRun, step: INextStep): Promise<void> {
    const lesson = run.lessons.find(l => l.id === step.id);
    const a = run.assignments.find(item => item.name === step.id);
    if (step.kind === 'lesson' && lesson) {
      return this.lesson(run, lesson.id, 'next');
    }
    if (step.kind === 'feedback') {
      const back = a ?? run.assignments.find(item => String(item.feedback_id) === step.id);
      return this.feedback(back?.feedback_id ?? null, back?.title ?? step.title);
    }
    if (step.kind === 'assignment' && a) {
      return this.start(run, a, 'next');
    }
  }

  async lesson(run: IRun, lesson: string, spot = `lesson/${run.slug}/${lesson}`): Promise<void> {
    await this.during(spot, this.model.trans.__('Opening the lesson…'), async () => {
      const { path } = await this.model.api.post<{ path: string }>('open-lesson', { run: run.slug, lesson });
      await this.openFile(path);
      await this.model.refresh();
      return '';
    });
  }

  private async start(run: IRun, a: IAssignment, spot = keyOf(run, a)): Promise<void> {
    const { trans, api } = this.model;
    await this.during(spot, trans.__('Getting the assignment…'), async () => {
      const body = { run: run.slug, assignment: a.name, attempt: a.attempt };
      const { path } = await api.post<{ path: string }>('start', body);
      await this.openFile(path);
      await this.model.refresh();
      return trans.__('%1 is open. Save as you work.', a.title);
    });
  }

  private async check(run: IRun, a: IAssignment): Promise<void> {
    const { trans, api } = this.model;
    const key = keyOf(run, a);
    this.model.set(key, { check: null });
    await this.during(key, trans.__('Checking your work. This can take a minute.'), async () => {
      if (!(await this.save(a))) {
        throw new Refused(
          'unsaved',
          trans.__('Your latest changes could not be saved, so nothing was checked.'),
          trans.__('If your files take too much room, delete what you do not need and wait a few seconds; then try again.')
        );
      }
      const check = await api.post<ICheckResult>('check', { run: run.slug, assignment: a.name });
      this.model.set(key, { check, unsent: false });
      await this.model.refresh();
      return checkSentence(check, trans);
    });
  }

  private async handIn(run: IRun, a: IAssignment): Promise<void> {
    const { trans } = this.model;
    const key = keyOf(run, a);
    await this.during(key, trans.__('Handing in…'), async () => {
      const saved = (await this.save(a)) || (await this.confirmOlder(a));
      const sent = saved ? await this.send(run, a) : null;
      if (!sent?.receipt) {
        return trans.__('Nothing was handed in. Your work is saved here.');
      }
      this.model.set(key, { check: null, unsent: false });
      await this.model.refresh();
      this.model.set(key, { busy: '' });
      await this.showReceipt(a.title, sent);
      focusCard(run, a);
      return trans.__('Handed in. Receipt %1.', sent.receipt.receipt);
    });
  }

  /** Send; ask first where answers are untouched. Null: the learner went back. */
  private async send(run: IRun, a: IAssignment): Promise<IHandedIn | null> {
    const post = (anyway: boolean) =>
      this.model.api.post<IHandedIn>('hand-in', { run: run.slug, assignment: a.name, anyway });
    try {
      const sent = await post(false);
      if (!sent.untouched.length) {
        return sent;
      }
      return (await this.confirm(sent.untouched)) ? await post(true) : null;
    } catch (error) {
      this.model.set(keyOf(run, a), { unsent: true });
      throw error;
    }
  }

  private async confirm(untouched: IPlace[]): Promise<boolean> {
    const { trans } = this.model;
    const result = await showDialog({
      title: trans._n('One answer is not written yet', '%1 answers are not written yet', untouched.length),
      body: untouchedBody(untouched, trans),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Go on working') }),
        Dialog.okButton({ label: trans.__('Hand in anyway') })
      ],
      defaultButton: 0
    });
    return result.button.accept;
  }

  /** Ask whether what was saved before may be handed in, where the latest changes cannot be saved. */
  private async confirmOlder(a: IAssignment): Promise<boolean> {
    const { trans } = this.model;
    const last = a.max_attempts !== null && a.attempt + 1 >= a.max_attempts;
    const result = await showDialog({
      title: trans.__('Your latest changes are not saved'),
      body: last
        ? trans.__(
            'There may be no room left for them. You can hand in what was saved before, but this is your last attempt: the changes since then would never be in it.'
          )
        : trans.__(
            'There may be no room left for them. You can hand in what was saved before; the changes since then are not in it, and you can hand in again once they are saved.'
          ),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Go on working') }),
        Dialog.okButton({ label: trans.__('Hand in what was saved') })
      ],
      defaultButton: 0
    });
    return result.button.accept;
  }

  private async receipt(a: IAssignment): Promise<void> {
    const receipt = a.local.receipt;
    await this.showReceipt(a.title, receipt ? { receipt, skipped: [], untouched: [] } : null, a);
  }

  private async showReceipt(title: string, sent: IHandedIn | null, a?: IAssignment): Promise<void> {
    const { trans } = this.model;
    await showDialog({
      title: trans.__('Receipt for %1', title),
      body: receiptBody(sent, a ?? null, this.locale, trans),
      buttons: [Dialog.okButton({ label: trans.__('Close') })]
    });
  }

  async feedback(id: number | null, title: string): Promise<void> {
    if (id === null) {
      return;
    }
    const { trans } = this.model;
    const name = `bioskills-feedback-${id}`;
    const open = [...this.app.shell.widgets('main')].find(w => w.id === name);
    if (open) {
      open.dispose();
    }
    await this.during(`feedback/${id}`, trans.__('Fetching the feedback…'), async () => {
      const feedback = await this.model.api.get<IFeedback>('feedback', { id: String(id) });
      this.showFeedback(name, title, feedback);
      this.model.markSeen(id);
      return '';
    });
  }

  private showFeedback(id: string, title: string, feedback: IFeedback): void {
    const { trans } = this.model;
    const content = new FeedbackView(feedback, this.model, this, this.locale);
    const widget = new MainAreaWidget({ content });
    widget.toolbar.hide();
    widget.id = id;
    widget.title.label = trans.__('Feedback: %1', title);
    widget.title.icon = trainingIcon;
    widget.title.closable = true;
    this.app.shell.add(widget, 'main');
    this.app.shell.activateById(id);
  }

  /** Open a notebook and go to one of its cells. */
  async goTo(path: string, index: number): Promise<void> {
    const widget = (await this.app.commands.execute('docmanager:open', { path })) as DocumentWidget | undefined;
    await widget?.context.ready;
    const notebook = widget?.content as unknown as
      | { activeCellIndex: number; scrollToItem?: (index: number, align: string) => Promise<void> }
      | undefined;
    if (notebook && index >= 0) {
      notebook.activeCellIndex = index;
      await notebook.scrollToItem?.(index, 'center');
    }
  }

  async openFile(path: string): Promise<void> {
    await this.app.commands.execute('docmanager:open', { path });
  }

  /** Save whatever is open of the assignment's folder; say whether all of it is saved. */
  private async save(a: IAssignment): Promise<boolean> {
    const folder = a.local.path.replace(/[^/]+$/, '');
    let saved = true;
    for (const widget of this.app.shell.widgets('main')) {
      const context = widget instanceof DocumentWidget ? widget.context : null;
      if (context?.path.startsWith(folder) && context.model.dirty) {
        // Lab itself tells why; a file changed elsewhere is no fault but a question it asks.
        saved = await context.save().then(
          () => saved,
          () => false
        );
      }
    }
    return saved;
  }

  /** Do one thing at a spot; tell how it goes and how it ended. */
  private async during(spot: string, busy: string, act: () => Promise<string>): Promise<void> {
    const { model } = this;
    if (model.spot(spot).busy) {
      return;
    }
    model.set(spot, { busy, fault: null, done: '' });
    model.announce(busy);
    try {
      const done = await act();
      model.set(spot, { busy: '', done });
      model.announce(done);
    } catch (error) {
      const fault = asRefused(error, model.trans);
      model.set(spot, { busy: '', fault });
      model.announce(`${fault.message} ${fault.next}`);
    }
  }
}

/** The key of a card. */
export function keyOf(run: IRun, a: IAssignment): string {
  return `${run.slug}/${a.name}`;
}

/** Go back to the card where a dialog was opened by a button that is gone now. */
function focusCard(run: IRun, a: IAssignment): void {
  const heading = document.getElementById(`bsh-card-${keyOf(run, a).replace('/', '-')}`);
  if (!document.activeElement || document.activeElement === document.body) {
    heading?.closest('article')?.querySelector('button')?.focus();
  }
}

/** The outcome of a check as one sentence. */
export function checkSentence(check: ICheckResult, trans: Model['trans']): string {
  if (check.passed) {
    return trans.__('Checks pass.');
  }
  return check.failed
    ? trans._n('%2 of %1 test does not pass yet.', '%2 of %1 tests do not pass yet.', check.tests.length, check.failed)
    : check.stopped;
}
