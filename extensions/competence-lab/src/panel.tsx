/** The panel *My training* in the left side bar. */
import { ReactWidget, UseSignal } from '@jupyterlab/apputils';
import React from 'react';

import type { Actions } from './actions.js';
import { Assignments } from './cards.js';
import { absolute } from './dates.js';
import { Icon, trainingIcon } from './icons.js';
import type { Model } from './model.js';
import { Away, Bar, Button, Fault } from './parts.js';
import type { LabWatch } from './watch.js';
import type { IRun } from './wire.js';
import { pointsOf, statusLook, unitName, type Words } from './words.js';
import { YourLab } from './yourlab.js';

export interface IProps {
  model: Model;
  actions: Actions;
  watch: LabWatch;
  locale: string;
}

/** The widget. */
export class TrainingPanel extends ReactWidget {
  constructor(private readonly props: IProps) {
    super();
    this.id = 'bioskills-training';
    this.addClass('bsh-lab');
    this.addClass('bsh-panel');
    this.title.icon = trainingIcon;
    this.title.caption = props.model.trans.__('My training');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', props.model.trans.__('My training'));
  }

  protected render(): React.ReactElement {
    return <UseSignal signal={this.props.model.changed}>{() => <Panel {...this.props} />}</UseSignal>;
  }
}

function Panel(props: IProps): React.JSX.Element {
  const { model } = props;
  const { trans, run } = model;
  return (
    <>
      <div className="bsh-head">
        <h1>{trans.__('My training')}</h1>
        <Button
          look="link"
          busy={model.loading}
          label={model.loading ? trans.__('Looking…') : trans.__('Refresh')}
          onClick={() => {
            void model.refresh();
            void props.watch.look();
          }}
        />
      </div>
      <div className="bsh-hidden" role="status" aria-live="polite">
        {model.announcement}
      </div>
      {model.fault && <Unreachable {...props} />}
      <Notices {...props} />
      <YourLab watch={props.watch} trans={trans} />
      {!model.view && !model.fault && <p className="bsh-sec">{trans.__('Looking at your courses…')}</p>}
      {model.view && !run && <NoCourse {...props} />}
      {model.view && model.view.runs.length > 1 && <RunChoice {...props} />}
      {run ? <Course {...props} run={run} /> : <Elsewhere {...props} />}
    </>
  );
}

function Course(props: IProps & { run: IRun }): React.JSX.Element {
  const { run } = props;
  const before = !run.is_open && new Date(run.opens_at) > new Date();
  return (
    <>
      {before ? <NotBegun {...props} /> : <Next {...props} />}
      {!before && <Assignments {...props} />}
      {!before && <Lessons {...props} />}
      <Pathway {...props} />
      {!before && <LastFeedback {...props} />}
      <Elsewhere {...props} />
    </>
  );
}

function Notices({ model }: IProps): React.JSX.Element {
  const { trans, view } = model;
  return (
    <>
      {view?.notices?.map(notice => (
        <section key={notice.text} className="bsh-sec bsh-note" aria-label={trans.__('Message to %1', notice.cohort)}>
          <strong>{notice.cohort}</strong>
          <p className="bsh-said">{notice.text}</p>
        </section>
      ))}
    </>
  );
}

function Unreachable({ model, locale }: IProps): React.JSX.Element {
  const { trans, fault, looked } = model;
  return (
    <section className="bsh-sec bsh-note" aria-label={trans.__('Problem')}>
      {fault && <Fault fault={fault} />}
      {model.view && looked && (
        <p className="bsh-meta">{trans.__('Below is what was known %1.', absolute(looked.toISOString(), new Date(), locale, trans))}</p>
      )}
      <Button label={trans.__('Look again')} busy={model.loading} onClick={() => void model.refresh()} />
    </section>
  );
}

function NoCourse({ model }: IProps): React.JSX.Element {
  const { trans } = model;
  return (
    <section className="bsh-sec">
      <div className="bsh-empty">
        <strong>{trans.__('You are not in a course yet.')}</strong>
        {trans.__('When your instructor adds you, the course appears here within a minute. Until then you can look around: nothing you do here can break anything.')}
      </div>
    </section>
  );
}

function NotBegun({ model, run, locale }: IProps & { run: IRun }): React.JSX.Element {
  const { trans } = model;
  return (
    <section className="bsh-sec" aria-labelledby="bsh-next">
      <h2 id="bsh-next">{trans.__('Next')}</h2>
      <div className="bsh-empty">
        <strong>{run.next.title}</strong>
        {trans.__(
          'The first lesson opens %1. Until then you can look around: nothing you do here can break anything.',
          absolute(run.opens_at, new Date(), locale, trans)
        )}
      </div>
    </section>
  );
}

function RunChoice({ model }: IProps): React.JSX.Element {
  const { trans } = model;
  return (
    <div className="bsh-sec bsh-choice">
      <label htmlFor="bsh-run">{trans.__('Course')}</label>
      <select id="bsh-run" value={model.run?.slug} onChange={event => model.choose(event.target.value)}>
        {model.view?.runs.map(run => (
          <option key={run.slug} value={run.slug}>
            {model.view?.runs.filter(other => other.title === run.title).length === 1 ? run.title : `${run.title} (${run.slug})`}
          </option>
        ))}
      </select>
    </div>
  );
}

function Next({ model, actions, run }: IProps & { run: IRun }): React.JSX.Element {
  const { trans } = model;
  const spot = model.spot('next');
  const step = run.next;
  return (
    <section className="bsh-sec bsh-next" aria-labelledby="bsh-next">
      <h2 id="bsh-next">{trans.__('Next')}</h2>
      <h3>{step.title}</h3>
      {step.detail && <p className="bsh-meta">{step.detail}</p>}
      {step.button && (
        <Button
          look="primary"
          busy={!!spot.busy}
          label={
            <>
              {spot.busy || step.button} {!spot.busy && <Icon name="next" />}
            </>
          }
          onClick={() => void actions.next(run, step)}
        />
      )}
      {spot.fault && <Fault fault={spot.fault} />}
    </section>
  );
}

function Lessons({ model, actions, run }: IProps & { run: IRun }): React.JSX.Element | null {
  const { trans } = model;
  if (!run.lessons.length) {
    return null;
  }
  return (
    <section className="bsh-sec" aria-labelledby="bsh-lessons">
      <h2 id="bsh-lessons">{trans.__('Lessons')}</h2>
      <ol className="bsh-plain bsh-lessons">
        {run.lessons.map((lesson, index) => {
          const spot = model.spot(`lesson/${run.slug}/${lesson.id}`);
          return (
            <li key={lesson.id}>
              <Icon name={lesson.opened ? 'done' : 'none'} />
              <div>
                <Button
                  look="link"
                  busy={!!spot.busy}
                  label={trans.__('%1. %2', index + 1, lesson.title)}
                  onClick={() => void actions.lesson(run, lesson.id)}
                />
                <span className="bsh-hidden">{lesson.opened ? trans.__('opened') : trans.__('not opened yet')}</span>
                <div className="bsh-meta">{spot.busy || lesson.question}</div>
                {spot.fault && <Fault fault={spot.fault} />}
              </div>
              <span className="bsh-meta">{trans.__('%1 min', lesson.minutes)}</span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function Pathway({ model, run }: IProps & { run: IRun }): React.JSX.Element {
  const { trans, view } = model;
  return (
    <section className="bsh-sec" aria-labelledby="bsh-path">
      <div className="bsh-row">
        <h2 id="bsh-path">{trans.__('Pathway')}</h2>
        <Away href={`${view?.campus_url ?? ''}passport`} label={trans.__('Passport')} trans={trans} />
        <Away href={`${view?.campus_url ?? ''}looks`} label={trans.__('Who looked at my work')} trans={trans} />
      </div>
      <ul className="bsh-plain bsh-path">
        {run.units.map(unit => {
          const look = statusLook(unit.status, trans);
          return (
            <li key={unit.code}>
              <Icon name={look.icon} />
              <span>
                {unitName(unit.code)} {unit.title}
              </span>
              <span className="bsh-pill">
                {trans.__('%1 of %2', unit.reached, unit.total)}
                <span className="bsh-hidden"> {trans.__('outcomes, %1', look.text)}</span>
              </span>
              <Bar share={unit.total ? unit.reached / unit.total : 0} done={unit.total > 0 && unit.reached >= unit.total} />
            </li>
          );
        })}
      </ul>
      {!run.units.length && <p className="bsh-meta">{trans.__('This course states no units.')}</p>}
    </section>
  );
}

function LastFeedback({ model, actions }: IProps): React.JSX.Element {
  const { trans, lastFeedback: last } = model;
  const comment = last?.criteria.find(criterion => criterion.comment)?.comment;
  const full = last?.criteria.filter(c => c.points !== null && Number(c.points) >= Number(c.max_points)).length ?? 0;
  return (
    <section className="bsh-sec" aria-labelledby="bsh-last">
      <h2 id="bsh-last">{trans.__('Last feedback')}</h2>
      {!last && (
        <div className="bsh-empty">
          <strong>{trans.__('Nothing has been returned yet.')}</strong>
          {trans.__('The grader answers within a minute of handing in; answers read by a person take up to five working days.')}
        </div>
      )}
      {last && (
        <>
          {comment ? (
            <p>
              <q>{comment}</q>
            </p>
          ) : (
            <p>{last.reason || trans.__('%1 of %2 criteria have full points.', full, last.criteria.length)}</p>
          )}
          {!comment && last.next && (
            <p>
              <strong>{trans.__('What to try next.')}</strong> {last.next}
            </p>
          )}
          <p className="bsh-meta">
            <Button look="link" label={last.title} about={trans.__('See feedback')} onClick={() => void actions.feedback(last.submission_id, last.title)} />
            {', '}
            {pointsOf(last.points, last.max_points, trans)}
          </p>
        </>
      )}
    </section>
  );
}

function Elsewhere({ model }: IProps): React.JSX.Element | null {
  const { trans, view } = model;
  if (!view) {
    return null;
  }
  const teaches = view.roles.some(role => role !== 'learner');
  return (
    <section className="bsh-sec" aria-label={trans.__('More')}>
      {teaches && (
        <p>
          <Away href={view.campus_url} label={trans.__('Course page')} trans={trans} />
        </p>
      )}
      <p className="bsh-meta">{helpOf(view.help_contact, trans)}</p>
      <p className="bsh-meta bsh-row">
        <Away href={`${view.campus_url}your-settings`} label={trans.__('Your settings')} trans={trans} />
        <Away href={`${view.campus_url}papers`} label={trans.__('Privacy')} trans={trans} />
        <Away href={`${view.campus_url}accessibility`} label={trans.__('Accessibility')} trans={trans} />
      </p>
    </section>
  );
}

/** Whom to ask: who was named, else the person everybody knows. */
function helpOf(contact: string | null | undefined, trans: Words): string {
  return contact ? trans.__('Help: %1', contact) : trans.__('Help: ask the person who invited you.');
}
