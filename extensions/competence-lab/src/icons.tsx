/** The icons of the status vocabulary, as inline drawings in the colour of the text. */
import { LabIcon } from '@jupyterlab/ui-components';
import React from 'react';

const DRAWINGS: Record<string, React.JSX.Element> = {
  none: <circle cx="8" cy="8" r="5.6" strokeDasharray="2.2 2.2" />,
  dev: (
    <>
      <circle cx="8" cy="8" r="5.6" />
      <path className="f" d="M8 2.4a5.6 5.6 0 0 0 0 11.2z" />
    </>
  ),
  wait: (
    <path d="M4.5 2.2h7M4.5 13.8h7M5.2 2.4c0 3 5.6 3.6 5.6 5.6s-5.6 2.6-5.6 5.6M10.8 2.4c0 3-5.6 3.6-5.6 5.6s5.6 2.6 5.6 5.6" />
  ),
  done: <path d="m2.8 8.6 3.4 3.5 7-7.9" strokeWidth="2.1" />,
  top: <path className="f" d="m8 1.9 1.9 3.9 4.2.6-3 3 .7 4.2L8 11.6l-3.8 2 .7-4.2-3-3 4.2-.6z" />,
  rpl: <path d="M9.5 2.5h4v11h-4M2.5 8h7M6.6 5.2 9.5 8l-2.9 2.8" />,
  review: (
    <>
      <circle cx="7" cy="7" r="4.4" />
      <path d="m10.3 10.3 3.4 3.4" />
    </>
  ),
  past: (
    <>
      <circle cx="8" cy="8" r="5.6" />
      <path d="M8 4.8V8l2 1.6M3 13 13 3" />
    </>
  ),
  bad: (
    <>
      <circle cx="8" cy="8" r="5.6" />
      <path d="m4.2 4.2 7.6 7.6" />
    </>
  ),
  x: <path d="m4 4 8 8M12 4l-8 8" strokeWidth="2" />,
  info: (
    <>
      <circle cx="8" cy="8" r="5.8" />
      <path d="M8 7.4v3.4M8 5.2v.1" />
    </>
  ),
  next: <path d="M3 8h10M9.2 4.2 13 8l-3.8 3.8" />
};

/** One icon; words beside it say the same. */
export function Icon(props: { name: string }): React.JSX.Element {
  return (
    <svg className="bsh-i" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {DRAWINGS[props.name]}
    </svg>
  );
}

/** The flag in Lab's side bar. */
export const trainingIcon = new LabIcon({
  name: 'bioskills-lab:training',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16"><path class="jp-icon3" stroke="#616161" fill="none" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" d="M3.4 14V2.4M3.4 3h8.8l-1.8 2.9 1.8 2.9H3.4"/></svg>'
});
