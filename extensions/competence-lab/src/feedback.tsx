/**
 * What came back for one hand-in, as a tab in Lab.
 *
 * Law: everything is shown as text; nothing a learner or a course wrote becomes markup here.
 */
import { ReactWidget, UseSignal } from '@jupyterlab/apputils';
import React from 'react';

import type { Actions } from './actions.js';
import { mayTryAgain } from './card.js';
import { Criterion, headingId, isFull, kind, Printed } from './criterion.js';
import { absolute } from './dates.js';
import { Icon } from './icons.js';
import type { Model } from './model.js';
import { Away, Bar, Button, Status } from './parts.js';
import type { ICriterion, IFeedback, IOutcome } from './wire.js';
import { outcomeNames, plain, statusLook, type Words } from './words.js';

interface IProps {
  feedback: IFeedback;
  model: Model;
  actions: Actions;
  locale: string;
}

/** The widget. */
export class FeedbackView extends ReactWidget {
  constructor(
    private readonly feedback: IFeedback,
    private readonly model: Model,
    private readonly actions: Actions,
    private readonly locale: string
  ) {
    super();
    this.addClass('bsh-lab');
    this.addClass('bsh-feedback');
    this.node.tabIndex = -1;
  }

  protected render(): React.ReactElement {
    const { feedback, model, actions, locale } = this;
    return (
      <UseSignal signal={model.changed}>
        {() => <Feedback feedback={feedback} model={model} actions={actions} locale={locale} />}
      </UseSignal>
    );
  }
}

function Feedback(props: IProps): React.JSX.Element {
  const { feedback: f, model } = props;
  const { trans } = model;
  const met = f.criteria.filter(isFull);
  const rest = f.criteria.filter(criterion => !isFull(criterion));
  return (
    <div className="bsh-page">
      <Head {...props} />
      <div className="bsh-cols">
        <div>
          <section className="bsh-box" aria-labelledby={`fb-${f.submission_id}-sum`}>
            <h2 id={`fb-${f.submission_id}-sum`}>{trans.__('In one look')}</h2>
            <p className="bsh-total">
              {plain(f.points)} <small>{trans.__('of %1 points', plain(f.max_points))}</small>
            </p>
            <Bar share={Number(f.max_points) ? Number(f.points) / Number(f.max_points) : 0} done={!rest.length} />
            <p>{summary(f, rest, trans)}</p>
            {f.late && <p>{f.late}</p>}
            {f.counts && <p>{f.counts}</p>}
            {f.reason && <p>{f.reason}</p>}
            {f.next && (
              <p>
                <strong>{trans.__('What to try next.')}</strong> {f.next}
              </p>
            )}
          </section>
          <Criteria {...props} />
          <Mended sentences={f.mended ?? []} trans={trans} />
          <Proves {...props} />
        </div>
        <div>
          {[...rest, ...met].map(criterion => (
            <Criterion key={criterion.cell} criterion={criterion} feedback={f} model={model} />
          ))}
          {!f.criteria.length && <p>{trans.__('There are no criteria to show.')}</p>}
          <Elsewhere {...props} />
        </div>
      </div>
    </div>
  );
}

/** What other cells printed, and why the rest of it is not here. */
function Elsewhere({ feedback: f, model }: IProps): React.JSX.Element {
  const { trans } = model;
  const printed = f.printed ?? [];
  return (
    <>
      {printed.length > 0 && (
        <section className="bsh-item" aria-labelledby={`fb-${f.submission_id}-printed`}>
          <h2 id={`fb-${f.submission_id}-printed`}>{trans.__('Other cells')}</h2>
          {printed.map(each => (
            <React.Fragment key={each.cell}>
              <h3>{each.title}</h3>
              <Printed text={each.text} title={each.title} trans={trans} />
            </React.Fragment>
          ))}
        </section>
      )}
      {f.withheld && (
        <p className="bsh-meta">
          {trans.__('What is printed after the first hidden test has run is not shown here: it could repeat the test. Run your notebook to see all of it.')}
        </p>
      )}
    </>
  );
}

function Head({ feedback: f, model, actions, locale }: IProps): React.JSX.Element {
  const { trans } = model;
  const now = new Date();
  const run = model.view?.runs.find(r => r.slug === f.run);
  const a = run?.assignments.find(item => item.name === f.assignment);
  const again = run && a && !a.local.again && mayTryAgain(a, now) && a.state !== 'grading' && a.state !== 'handed_in';
  return (
    <div className="bsh-pagehead">
      <div>
        <h1>{trans.__('Feedback on %1', f.title)}</h1>
        <p className="bsh-meta">
          {trans.__(
            'Attempt %1 · handed in %2 · returned %3 · receipt %4',
            f.attempt,
            absolute(f.submitted_at, now, locale, trans),
            absolute(f.graded_at, now, locale, trans),
            f.receipt
          )}
        </p>
      </div>
      <div className="bsh-act">
        {again && <Button look="primary" label={trans.__('Try again')} onClick={() => void actions.act('start', run, a)} />}
        {a?.local.started && <Button label={trans.__('Open my notebook')} onClick={() => void actions.openFile(a.local.path)} />}
      </div>
    </div>
  );
}

function summary(f: IFeedback, rest: ICriterion[], trans: Words): string {
  const waiting = rest.filter(criterion => criterion.points === null).length;
  const open = rest.length - waiting;
  const parts = [trans.__('%1 of %2 criteria have full points.', f.criteria.length - rest.length, f.criteria.length)];
  if (open) {
    parts.push(trans._n('One thing holds you back; it comes first here.', '%1 things hold you back; they come first here.', open));
  }
  if (waiting) {
    parts.push(trans.__('A person has still to read %1 of them: these points are preliminary.', waiting));
  }
  return parts.join(' ');
}

/** What was repaired before grading. */
function Mended({ sentences, trans }: { sentences: string[]; trans: Words }): React.JSX.Element | null {
  if (!sentences.length) {
    return null;
  }
  return (
    <section className="bsh-box" aria-label={trans.__('Repaired before grading')}>
      <h2>{trans.__('Repaired before grading')}</h2>
      <ul>
        {sentences.map(sentence => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      <p className="bsh-meta">{trans.__('What you handed in is kept exactly as it was.')}</p>
    </section>
  );
}

function Criteria({ feedback: f, model }: IProps): React.JSX.Element {
  const { trans } = model;
  const go = (id: string) => {
    const heading = document.getElementById(id);
    heading?.scrollIntoView({ block: 'start' });
    heading?.focus();
  };
  return (
    <nav className="bsh-box" aria-label={trans.__('Criteria')}>
      <h2>{trans.__('Criteria')}</h2>
      <ul className="bsh-plain bsh-crit">
        {f.criteria.map(criterion => (
          <li key={criterion.cell}>
            <Mark criterion={criterion} trans={trans} />
            <Button look="link" label={criterion.title} onClick={() => go(headingId(f, criterion))} />
            <span className="bsh-pill">
              {criterion.points === null ? '–' : plain(criterion.points)} / {plain(criterion.max_points)}
            </span>
            <span className="bsh-meta">
              {[outcomeNames(criterion.outcomes), kind(criterion, trans)].filter(Boolean).join(' · ')}
            </span>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Mark({ criterion, trans }: { criterion: ICriterion; trans: Words }): React.JSX.Element {
  const [style, icon, text] = isFull(criterion)
    ? ['ok', 'done', trans.__('met')]
    : criterion.points === null
      ? ['wait', 'wait', trans.__('waiting for assessor')]
      : Number(criterion.points) > 0
        ? ['part', 'dev', trans.__('partly met')]
        : ['no', 'x', trans.__('not met')];
  return (
    <span className={`bsh-${style}`}>
      <Icon name={icon} />
      <span className="bsh-hidden">{text}: </span>
    </span>
  );
}

function Proves({ feedback: f, model }: IProps): React.JSX.Element | null {
  const { trans, view } = model;
  const ids = new Set(f.criteria.flatMap(criterion => criterion.outcomes));
  const outcomes = outcomesOf(model, f.run).filter(outcome => ids.has(outcome.id));
  return outcomes.length ? (
    <section className="bsh-box" aria-labelledby={`fb-${f.submission_id}-proves`}>
      <h2 id={`fb-${f.submission_id}-proves`}>{trans.__('What this proves')}</h2>
      <ul className="bsh-plain bsh-proves">
        {outcomes.map(outcome => (
          <li key={outcome.id}>
            <Status look={statusLook(outcome.status, trans)} /> <strong>{outcomeNames([outcome.id])}</strong>
            {outcome.level !== null && ` ${trans.__('at %1 %', Math.floor(Number(outcome.level) * 100 + 1e-9))}`}
            <div className="bsh-meta">{outcome.statement}</div>
          </li>
        ))}
      </ul>
      <Away href={`${view?.campus_url ?? ''}passport`} label={trans.__('See it in my passport')} trans={trans} />
    </section>
  ) : null;
}

function outcomesOf(model: Model, run: string): IOutcome[] {
  return model.view?.runs.find(r => r.slug === run)?.units.flatMap(unit => unit.outcomes) ?? [];
}
