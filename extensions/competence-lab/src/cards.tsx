/** The assignment cards and what a check found. */
import React from 'react';

import { checkSentence, keyOf, type Actions } from './actions.js';
import { cardOf } from './card.js';
import type { Model } from './model.js';
import type { IProps } from './panel.js';
import { Button, Fault, Status, Technical } from './parts.js';
import type { IAssignment, ICheckResult, IPlace, IRun } from './wire.js';

/** The section of cards. */
export function Assignments(props: IProps & { run: IRun }): React.JSX.Element {
  const { run, model } = props;
  const { trans } = model;
  return (
    <section className="bsh-sec" aria-labelledby="bsh-work">
      <h2 id="bsh-work">{trans.__('Assignments')}</h2>
      {run.assignments.map(a => (
        <Card key={keyOf(run, a)} {...props} a={a} />
      ))}
      {!run.assignments.length && <p className="bsh-meta">{trans.__('This course has no assignments yet.')}</p>}
    </section>
  );
}

function Card({ model, actions, run, a, locale }: IProps & { run: IRun; a: IAssignment }): React.JSX.Element {
  const { trans } = model;
  const spot = model.spot(keyOf(run, a));
  const fetching = model.spot(`feedback/${a.feedback_id}`);
  const card = cardOf(a, { unsent: spot.unsent, seen: model.isSeen(a.feedback_id), now: new Date(), locale }, trans);
  const busy = spot.busy || fetching.busy;
  const fault = spot.fault ?? fetching.fault;
  const title = `bsh-card-${run.slug}-${a.name}`;
  return (
    <article className="bsh-card" aria-labelledby={title} aria-busy={busy ? true : undefined}>
      <div className="bsh-row">
        <h3 id={title}>{a.title}</h3>
        <Status look={card.look} />
      </div>
      {card.meta.map(line => (
        <div className="bsh-meta" key={line.text}>
          {line.iso ? <time dateTime={line.iso}>{line.text}</time> : line.text}
        </div>
      ))}
      {card.say.map(sentence => (
        <p key={sentence}>{sentence}</p>
      ))}
      {spot.check && card.stage !== 'grading' && <CheckResult check={spot.check} model={model} actions={actions} />}
      {fault && <Fault fault={fault} />}
      {busy && <p className="bsh-busy">{busy}</p>}
      <div className="bsh-act">
        {card.button && (
          <Button
            label={card.button.label}
            about={a.title}
            busy={!!busy}
            onClick={() => card.button && void actions.act(card.button.act, run, a)}
          />
        )}
        {card.also.map(button => (
          <Button
            key={button.act}
            look="link"
            label={button.label}
            about={a.title}
            busy={!!busy}
            onClick={() => void actions.act(button.act, run, a)}
          />
        ))}
      </div>
    </article>
  );
}

function CheckResult({ check, model, actions }: { check: ICheckResult; model: Model; actions: Actions }): React.JSX.Element {
  const { trans } = model;
  // An answer that is not written is named once, below.
  const failing = check.tests.filter(test => (!test.passed && !(test.unwritten && check.untouched.length)) || test.note);
  return (
    <div className="bsh-check">
      <p>
        <strong>{checkSentence(check, trans)}</strong>{' '}
        {check.passed && trans.__('The grader also runs hidden checks after you hand in.')}
      </p>
      {check.stopped && !check.faults.some(place => place.message === check.stopped) && <p>{check.stopped}</p>}
      {failing.length + check.faults.length > 0 && (
        <ul className="bsh-plain">
          {[...check.faults, ...failing].map(place => (
            <li key={`${place.cell}/${place.index}/${place.message}`}>
              <Place place={place} path={check.path} actions={actions} model={model} />
              {place.note ? <span> {place.note}</span> : null}
              <Technical title={trans.__('What Python says')} text={place.traceback} />
            </li>
          ))}
        </ul>
      )}
      {check.untouched.length > 0 && (
        <>
          <p>
            {trans._n('One answer is not written yet:', '%1 answers are not written yet:', check.untouched.length)}
          </p>
          <ul className="bsh-plain">
            {check.untouched.map(place => (
              <li key={`${place.cell}/${place.index}`}>
                <Place place={{ ...place, message: '' }} path={check.path} actions={actions} model={model} />
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function Place({ place, path, actions, model }: { place: IPlace; path: string; actions: Actions; model: Model }): React.JSX.Element {
  const title = place.title || model.trans.__('Cell %1', place.index + 1);
  return (
    <>
      {place.index >= 0 ? (
        <Button look="link" label={title} onClick={() => void actions.goTo(path, place.index)} />
      ) : (
        <strong>{title}</strong>
      )}
      {place.message && <span className="bsh-said">{place.message}</span>}
    </>
  );
}
