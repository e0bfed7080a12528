/** Small parts that panel and feedback share. */
import React from 'react';

import type { Refused } from './api.js';
import { Icon } from './icons.js';
import type { ILook, Words } from './words.js';

/** Status: icon, words and fill. */
export function Status(props: { look: ILook }): React.JSX.Element {
  return (
    <span className={`bsh-st ${props.look.style}`}>
      <Icon name={props.look.icon} />
      {props.look.text}
    </span>
  );
}

/** A button that keeps its focus while it is busy. */
export function Button(props: {
  label: React.ReactNode;
  onClick: () => void;
  busy?: boolean;
  look?: 'primary' | 'quiet' | 'link';
  about?: string;
}): React.JSX.Element {
  return (
    <button
      type="button"
      className={`bsh-btn bsh-btn-${props.look ?? 'quiet'}`}
      aria-disabled={props.busy ? true : undefined}
      onClick={() => !props.busy && props.onClick()}
    >
      {props.label}
      {props.about && <span className="bsh-hidden">: {props.about}</span>}
    </button>
  );
}

/** What went wrong, what is safe, what to do. */
export function Fault(props: { fault: Refused }): React.JSX.Element {
  const { message, next } = props.fault;
  const end = message.search(/[.?!](\s|$)/) + 1;
  return (
    <p className="bsh-fault">
      <strong>{end ? message.slice(0, end) : message}</strong>
      {end ? message.slice(end) : ''} {next}
    </p>
  );
}

/** Technical text, closed. */
export function Technical(props: { title: string; text: string }): React.JSX.Element | null {
  return props.text ? (
    <details className="bsh-more">
      <summary>{props.title}</summary>
      <pre tabIndex={0} role="region" aria-label={props.title}>
        {props.text}
      </pre>
    </details>
  ) : null;
}

/** A straight bar; the words beside it carry the figures. */
export function Bar(props: { share: number; done: boolean }): React.JSX.Element {
  return (
    <span className={`bsh-bar${props.done ? ' bsh-bar-done' : ''}`} aria-hidden="true">
      <span style={{ width: `${Math.round(Math.min(1, Math.max(0, props.share)) * 100)}%` }} />
    </span>
  );
}

/** A link to the campus, in a new tab; anything but http is not linked. */
export function Away({ href, label, trans }: { href: string; label: string; trans: Words }): React.JSX.Element | null {
  return /^(https?:\/\/|\/)/.test(href) ? (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {label}
      <span className="bsh-hidden"> {trans.__('(opens in a new tab)')}</span>
    </a>
  ) : null;
}
