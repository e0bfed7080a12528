// Where a hand-in is in the queue: in words, and how often the panel asks.
import assert from 'node:assert/strict';
import test from 'node:test';

import { cardOf } from '../lib/card.js';
import { pause, progressSentence } from '../lib/progress.js';

const fill = (text, args) => text.replace(/%(\d)/g, (_, n) => String(args[n - 1]));
const trans = {
  __: (text, ...args) => fill(text, args),
  _n: (one, many, n, ...args) => fill(n === 1 ? one : many, [n, ...args])
};
const at = change => ({ submission_id: 5, state: 'queued', place: null, seconds: null, done: 0, of: 0, ...change });

const sentences = [
  [at({ place: 3, seconds: 20 }), 'Place 3 in the queue, about 20 seconds.'],
  [at({ place: 1, seconds: 1 }), 'Place 1 in the queue, about 1 second.'],
  [at({ place: 150, seconds: 180 }), 'Place 150 in the queue, about 3 minutes.'],
  [at({ place: 3 }), 'Place 3 in the queue.'], // nobody measured: no time is made up
  [at({}), 'It waits to be graded.'],
  [at({ state: 'running', done: 7, of: 14 }), 'Running: 7 of 14 cells.'],
  [at({ state: 'running' }), 'It is being graded now.'],
  [at({ state: 'again' }), 'A first try failed; it is tried again by itself. Your work is safe.'],
  [at({ state: 'ended' }), 'It is graded; the result is on its way.'],
  [null, 'It waits to be graded.'], // a campus that says nothing of it
  [at({ state: 'something_new' }), 'It waits to be graded.']
];

for (const [progress, sentence] of sentences) {
  test(`a hand-in that is ${progress?.state ?? 'unknown'} says “${sentence}”`, () => {
    assert.equal(progressSentence(progress, trans), sentence);
  });
}

test('the panel asks often near the answer and seldom far from it', () => {
  const pauses = [at({ state: 'running' }), at({ place: 2 }), at({ place: 9 }), at({ place: 90 }), at({}), at({ state: 'ended' }), null];
  assert.deepEqual(pauses.map(p => pause([p])), [1000, 2000, 5000, 10000, 5000, 5000, 5000]);
});

test('the nearest of several hand-ins decides how often', () => {
  assert.equal(pause([at({ place: 90 }), at({ state: 'running' })]), 1000);
});

test('a card in grading shows the place and never a made-up time', () => {
  const local = { started: true, path: 'c/p1/p1.ipynb', again: false, checked: null, receipt: null, version: null };
  const card = cardOf(
    {
      name: 'p1', title: 'T', summary: '', kind: 'practice', minutes: 20, state: 'handed_in', version: 1, due_at: null,
      closes_at: null, extended: false, points: null, max_points: '4', attempt: 1, max_attempts: null,
      next_attempt_at: null, proves: [], receipt: 'R', submitted_at: '2027-03-18T12:02:00Z', submission_id: 5,
      feedback_id: null, message: '', progress: at({ place: 3, seconds: 20 }), local
    },
    { unsent: false, seen: false, now: new Date('2027-03-18T13:00:00Z'), locale: 'en-GB' },
    trans
  );
  assert.deepEqual(card.say, ['Place 3 in the queue, about 20 seconds.', 'You can close this page.']);
});
