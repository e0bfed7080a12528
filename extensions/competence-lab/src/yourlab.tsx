/** *Your lab*: what ended and why, and what is nearly full; nothing at all while all is well. */
import { UseSignal } from '@jupyterlab/apputils';
import React from 'react';

import { split, type IMeter, type INotice } from './limits.js';
import { Bar, Button } from './parts.js';
import type { LabWatch } from './watch.js';
import type { Words } from './words.js';

/** The section; it appears when there is something to say. */
export function YourLab({ watch, trans }: { watch: LabWatch; trans: Words }): React.JSX.Element {
  return <UseSignal signal={watch.changed}>{() => <Shown watch={watch} trans={trans} />}</UseSignal>;
}

function Shown({ watch, trans }: { watch: LabWatch; trans: Words }): React.JSX.Element | null {
  const { happened, present, meters } = watch;
  if (!happened.length && !present.length && !meters.length) {
    return null;
  }
  return (
    <section className="bsh-sec bsh-note" aria-labelledby="bsh-yourlab">
      <h2 id="bsh-yourlab">{trans.__('Your lab')}</h2>
      {[...happened, ...present].map(notice => (
        <Said
          key={notice.thing}
          notice={notice}
          trans={trans}
          onRead={happened.includes(notice) ? () => watch.dismiss(notice.thing) : undefined}
        />
      ))}
      {meters.length > 0 && (
        <ul className="bsh-plain bsh-meters">
          {meters.map(meter => (
            <Meter key={meter.thing} meter={meter} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Said({ notice, trans, onRead }: { notice: INotice; trans: Words; onRead?: () => void }): React.JSX.Element {
  const [first, rest] = split(notice.message);
  return (
    <div className="bsh-fault bsh-said-once">
      <p>
        <strong>{first}</strong>
        {rest} {notice.next}
      </p>
      {onRead && <Button look="link" label={trans.__('I have read this')} onClick={onRead} />}
    </div>
  );
}

function Meter({ meter }: { meter: IMeter }): React.JSX.Element {
  return (
    <li>
      <span>{meter.label}</span>
      <span className="bsh-pill">{meter.words}</span>
      <Bar share={meter.share} done={false} />
    </li>
  );
}
