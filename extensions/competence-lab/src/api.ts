/**
 * The verbs of the server part.
 *
 * Law: whatever goes wrong ends as a `Refused` with sentences; no status code reaches a learner.
 */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type { Words } from './words.js';

/** An answer other than success. */
export class Refused extends Error {
  constructor(
    readonly error: string,
    message: string,
    readonly next: string,
    readonly details: Record<string, unknown> = {}
  ) {
    super(message);
  }
}

/** The server part as seen from the browser. */
export class Api {
  constructor(
    private readonly settings: ServerConnection.ISettings,
    private readonly trans: Words,
    private readonly language: string
  ) {}

  get<T>(verb: string, query: Record<string, string> = {}): Promise<T> {
    return this.ask<T>(verb + URLExt.objectToQueryString(query), { method: 'GET' });
  }

  post<T>(verb: string, body: Record<string, unknown>): Promise<T> {
    return this.ask<T>(verb, { method: 'POST', body: JSON.stringify(body) });
  }

  private async ask<T>(path: string, init: RequestInit): Promise<T> {
    const url = URLExt.join(this.settings.baseUrl, 'bioskills', path);
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, { ...init, headers: { 'Accept-Language': this.language } }, this.settings);
    } catch {
      throw this.silent();
    }
    const body: unknown = await response.json().catch(() => null);
    if (!response.ok) {
      throw this.refusal(response, body);
    }
    return body as T;
  }

  private silent(): Refused {
    return new Refused(
      'no_server',
      this.trans.__('Your server did not answer. What you saved is kept.'),
      this.trans.__('Try again in a minute; if it stays so, reload the page.')
    );
  }

  private refusal(response: Response, body: unknown): Refused {
    const { error, message, next, ...details } = (body ?? {}) as Record<string, unknown>;
    if (typeof error === 'string' && typeof message === 'string') {
      return new Refused(error, message, typeof next === 'string' ? next : '', details);
    }
    if (response.status === 403 || response.status === 401) {
      return new Refused(
        'signed_out',
        this.trans.__('You are no longer signed in. What you saved is kept.'),
        this.trans.__('Reload the page and sign in again.')
      );
    }
    return this.silent();
  }
}
