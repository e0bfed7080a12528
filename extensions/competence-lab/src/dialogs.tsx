/** The bodies of the two dialogs; Lab's own dialog traps the focus and closes on Escape. */
import React from 'react';

import { absolute } from './dates.js';
import type { IAssignment, IHandedIn, IPlace } from './wire.js';
import { size, type Words } from './words.js';

/** Which answers are untouched. */
export function untouchedBody(untouched: IPlace[], trans: Words): React.ReactElement {
  return (
    <div className="bsh-lab bsh-dialog">
      <ul>
        {untouched.map(place => (
          <li key={`${place.cell}/${place.index}`}>
            <strong>{place.title}</strong>: {place.message}
          </li>
        ))}
      </ul>
      <p>{trans.__('An answer that is not written gets no points.')}</p>
    </div>
  );
}

/** The receipt, whole where this server keeps it, short otherwise. */
export function receiptBody(
  sent: IHandedIn | null,
  a: IAssignment | null,
  locale: string,
  trans: Words
): React.ReactElement {
  const receipt = sent?.receipt ?? null;
  const at = receipt?.submitted_at ?? a?.submitted_at ?? '';
  return (
    <div className="bsh-lab bsh-dialog">
      <p className="bsh-code">{receipt?.receipt ?? a?.receipt}</p>
      <p>{trans.__('The campus keeps your work exactly as it was handed in.')}</p>
      <dl className="bsh-kv">
        <dt>{trans.__('Handed in')}</dt>
        <dd>
          <time dateTime={at}>{at && absolute(at, new Date(), locale, trans)}</time>
          {receipt?.late ? ` · ${trans.__('after the due date')}` : ''}
        </dd>
        <dt>{trans.__('Attempt')}</dt>
        <dd>{receipt?.attempt ?? a?.attempt}</dd>
        {receipt && (
          <>
            <dt>{trans.__('Fingerprint')}</dt>
            <dd className="bsh-mono">{receipt.tree_sha256}</dd>
            <dt>{trans.__('Files')}</dt>
            <dd>
              <ul className="bsh-plain">
                {receipt.files.map(file => (
                  <li key={file.path}>
                    {file.path} <span className="bsh-meta">{size(file.bytes)}</span>
                  </li>
                ))}
              </ul>
            </dd>
          </>
        )}
      </dl>
      {receipt?.late_note && <p>{receipt.late_note}</p>}
      {!receipt && <p className="bsh-meta">{trans.__('The full receipt is in your passport.')}</p>}
      {sent?.skipped.map(sentence => (
        <p key={sentence}>{sentence}</p>
      ))}
    </div>
  );
}
