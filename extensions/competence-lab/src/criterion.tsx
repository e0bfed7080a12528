/**
 * One criterion of a feedback.
 *
 * Law: text only; a hidden test is known by its label.
 */
import React from 'react';

import { Icon } from './icons.js';
import type { Model } from './model.js';
import type { ICheckNote, ICriterion, IFeedback } from './wire.js';
import { outcomeNames, plain, pointsOf, type Words } from './words.js';

/** One criterion: points, answer, checks, comment, hints, rubric. */
export function Criterion({ criterion: c, feedback: f, model }: { criterion: ICriterion; feedback: IFeedback; model: Model }): React.JSX.Element {
  const { trans } = model;
  const hidden = c.checks.some(check => !check.visible);
  return (
    <section className="bsh-item" aria-labelledby={headingId(f, c)}>
      <div className="bsh-row">
        <h2 id={headingId(f, c)} tabIndex={-1}>
          {c.title}
        </h2>
        <span className="bsh-pts">
          {c.points === null ? trans.__('Waiting for assessor') : pointsOf(c.points, c.max_points, trans)}
        </span>
      </div>
      <p className="bsh-meta">{statements(c, model)}</p>
      {c.answer && (
        <>
          <h3>{trans.__('Your answer')}</h3>
          <pre className={c.graded === 'person' ? 'bsh-prose' : undefined} tabIndex={0} role="region" aria-label={trans.__('Your answer to %1', c.title)}>
            <code>{c.answer}</code>
          </pre>
        </>
      )}
      {c.why && (
        <div className="bsh-note">
          <Icon name="info" />
          <div>
            <strong>{trans.__('Why there are no points')}</strong> {c.why}
          </div>
        </div>
      )}
      {c.printed && <Printed text={c.printed} title={c.title} trans={trans} />}
      {c.checks.length > 0 && <Checks checks={c.checks} trans={trans} />}
      {c.comment && (
        <>
          <h3>{trans.__('Comment')}</h3>
          <blockquote>{c.comment}</blockquote>
        </>
      )}
      {c.hints.length > 0 && !isFull(c) && <Hints hints={c.hints} trans={trans} />}
      {c.rubric.length > 0 && <Rubric criterion={c} trans={trans} />}
      {hidden && !isFull(c) && (
        <div className="bsh-note">
          <Icon name="info" />
          <div>
            {trans.__('Some tests are hidden on purpose, so that your work must hold on data it has not seen. You see what they look at and hints, never their inputs.')}
          </div>
        </div>
      )}
    </section>
  );
}

/** What code printed: text alone, closed until it is asked for. */
export function Printed({ text, title, trans }: { text: string; title: string; trans: Words }): React.JSX.Element {
  return (
    <details className="bsh-more">
      <summary>{trans.__('What your code printed')}</summary>
      <pre tabIndex={0} role="region" aria-label={trans.__('Output of %1', title)}>
        <samp>{text}</samp>
      </pre>
    </details>
  );
}

function Checks({ checks, trans }: { checks: ICheckNote[]; trans: Words }): React.JSX.Element {
  const word = (check: ICheckNote) =>
    check.passed === null ? trans.__('did not come to run') : check.passed ? trans.__('works') : trans.__('does not work yet');
  return (
    <>
      <h3>{trans.__('What was tested')}</h3>
      <ul className="bsh-plain bsh-checks">
        {checks.map(check => (
          <li key={check.id}>
            <span className={check.passed === null ? 'bsh-wait' : check.passed ? 'bsh-ok' : 'bsh-no'}>
              <Icon name={check.passed === null ? 'none' : check.passed ? 'done' : 'x'} />
            </span>
            <span>
              {check.label}: <strong>{word(check)}</strong>
              {!check.visible && <span className="bsh-meta"> · {trans.__('hidden test')}</span>}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

/** One hint after the other: the next appears when the one before was opened. */
function Hints({ hints, trans }: { hints: string[]; trans: Words }): React.JSX.Element {
  const [opened, setOpened] = React.useState(0);
  return (
    <>
      <h3>{trans.__('Hints')}</h3>
      {hints.slice(0, opened + 1).map((hint, index) => (
        <details
          className="bsh-more"
          key={index}
          onToggle={event => event.currentTarget.open && setOpened(Math.max(opened, index + 1))}
        >
          <summary>{trans.__('Hint %1 of %2', index + 1, hints.length)}</summary>
          <p>{hint}</p>
        </details>
      ))}
    </>
  );
}

function Rubric({ criterion, trans }: { criterion: ICriterion; trans: Words }): React.JSX.Element {
  const mine = (points: string) => criterion.points !== null && Number(points) === Number(criterion.points);
  return (
    <table className="bsh-t">
      <caption>{trans.__('How a person reads this answer')}</caption>
      <thead>
        <tr>
          <th scope="col">{trans.__('Points')}</th>
          <th scope="col">{trans.__('Answer')}</th>
        </tr>
      </thead>
      <tbody>
        {criterion.rubric.map(level => (
          <tr key={level.points} className={mine(level.points) ? 'bsh-mine' : undefined}>
            <th scope="row">{plain(level.points)}</th>
            <td>
              {level.text}
              {mine(level.points) && <strong> {trans.__('(yours)')}</strong>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Who graded it. */
export function kind(c: ICriterion, trans: Words): string {
  return c.graded === 'person' ? trans.__('read by a person') : trans.__('automatic');
}

function statements(c: ICriterion, model: Model): string {
  const { trans } = model;
  const known = model.view?.runs.flatMap(run => run.units.flatMap(unit => unit.outcomes)) ?? [];
  const names = c.outcomes.map(id => {
    const outcome = known.find(item => item.id === id);
    return outcome ? trans.__('%1: %2', outcomeNames([id]), outcome.statement) : outcomeNames([id]);
  });
  return [...names, kind(c, trans)].join(' · ');
}

/** Whether nothing is missing. */
export function isFull(c: ICriterion): boolean {
  return c.points !== null && Number(c.points) >= Number(c.max_points);
}

/** The id of a criterion's heading. */
export function headingId(f: IFeedback, c: ICriterion): string {
  return `fb-${f.submission_id}-${c.cell.replace(/[^A-Za-z0-9_-]/g, '-')}`;
}
