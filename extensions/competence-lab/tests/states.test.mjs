// What a card says and offers in each state; the translator gives the English text back.
import assert from 'node:assert/strict';
import test from 'node:test';

import { cardOf, stageOf } from '../lib/card.js';

const fill = (text, args) => text.replace(/%(\d)/g, (_, n) => String(args[n - 1]));
const trans = {
  __: (text, ...args) => fill(text, args),
  _n: (one, many, n, ...args) => fill(n === 1 ? one : many, [n, ...args])
};
const here = { unsent: false, seen: false, now: new Date('2027-03-18T13:00:00Z'), locale: 'en-GB' };
const local = { started: false, path: '', again: false, checked: null, receipt: null, version: null };
const base = {
  name: 'p1', title: 'Sequence records', summary: 'Three functions.', kind: 'practice', minutes: 20,
  state: 'new', version: 1, due_at: '2027-03-19T17:00:00Z', closes_at: '2027-04-01T00:00:00Z',
  extended: false, points: null, max_points: '11.00', attempt: 0, max_attempts: 3,
  next_attempt_at: null, proves: ['BSH-U04-S1', 'BSH-U04-K2'], receipt: null, submitted_at: null,
  submission_id: null, feedback_id: null, message: '', local
};
const handedIn = { attempt: 1, receipt: '7KR8-04', submitted_at: '2027-03-18T12:02:00Z', submission_id: 5 };
const back = { ...handedIn, state: 'published', points: '7.50', feedback_id: 5 };
const started = { ...local, started: true, path: 'c/p1/p1.ipynb' };

const table = [
  ['new', {}, {}, 'New', 'Start'],
  ['excused', { state: 'excused' }, {}, 'Excused', 'Start'],
  ['draft', { local: started }, {}, 'Draft saved', 'Check my work'],
  ['checked', { local: { ...started, checked: true } }, {}, 'Checks pass', 'Hand in'],
  ['failed', { local: { ...started, checked: false } }, {}, 'Not passing yet', 'Check my work'],
  ['unsent', { local: started }, { unsent: true }, 'Not handed in', 'Try to hand in again'],
  ['grading', { ...handedIn, state: 'handed_in', local: started }, {}, 'Being graded', 'See receipt'],
  ['grading', { ...handedIn, state: 'grading', local: started }, {}, 'Being graded', 'See receipt'],
  ['with_person', { ...handedIn, state: 'needs_person' }, {}, 'With assessor', 'See receipt'],
  ['with_person', { ...back, state: 'preliminary' }, {}, 'With assessor', 'See feedback'],
  ['returned', back, {}, '68 %', 'See feedback'],
  ['again', back, { seen: true }, '68 %', 'Try again'],
  ['draft', { ...back, local: { ...started, again: true } }, { seen: true }, 'Draft saved', 'Check my work'],
  ['returned', { ...back, attempt: 3 }, { seen: true }, '68 %', 'See feedback'], // no attempt left
  ['returned', { ...back, points: '11.00' }, { seen: true }, '100 %', 'See feedback'], // nothing to gain
  ['returned', { ...back, closes_at: '2027-03-01T00:00:00Z' }, { seen: true }, '68 %', 'See feedback'],
  ['returned', { ...back, closed_early: true }, { seen: true }, '68 %', 'See feedback'],
  ['closed', { state: 'closed' }, {}, 'Closed', null],
  ['not_open', { state: 'not_open' }, {}, 'Not open yet', null]
];

for (const [stage, change, browser, chip, label] of table) {
  test(`a card that is ${stage} says ${chip} and offers ${label}`, () => {
    const card = cardOf({ ...base, ...change }, { ...here, ...browser }, trans);
    assert.equal(card.stage, stage);
    assert.equal(card.look.text, chip);
    assert.equal(card.button?.label ?? null, label);
  });
}

test('what the instructor closed says so, and names no date in the future', () => {
  const card = cardOf({ ...base, state: 'closed', closed_early: true }, here, trans);
  assert.match(card.say[0], /^Your instructor has closed it/);
  assert.ok(card.meta.every(line => !line.text.startsWith('Closed')));
});

test('a cool-down is said wherever another try is offered', () => {
  const wait = { next_attempt_at: '2027-03-19T09:00:00Z' };
  for (const [state, seen] of [['published', true], ['preliminary', false]]) {
    const card = cardOf({ ...base, ...back, state, ...wait }, { ...here, seen }, trans);
    assert.ok(card.meta.some(line => line.text.startsWith('Next attempt from')), state);
  }
});

test('handing in without a check is always one link away', () => {
  for (const checked of [null, false]) {
    const card = cardOf({ ...base, local: { ...started, checked } }, here, trans);
    assert.ok(card.also.some(button => button.act === 'hand-in'));
  }
});

test('the due date is local, absolute and relative', () => {
  const lines = cardOf(base, here, trans).meta.map(line => line.text);
  assert.equal(lines[0], 'Due Fri 19 March, 18:00 (in 28 hours)');
  assert.equal(lines[1], 'Practises U04 S1, K2');
});

test('late work says until when it is taken', () => {
  const lines = cardOf({ ...base, due_at: '2027-03-18T10:00:00Z' }, here, trans).meta.map(l => l.text);
  assert.match(lines[1], /^Late work is taken until Thu 1 April, 02:00/);
});

test('an unlimited practice counts no attempts down', () => {
  const lines = cardOf({ ...back, ...{ ...base, ...back, max_attempts: null } }, here, trans).meta;
  assert.equal(lines[0].text, 'Attempt 1, as many as you like');
});

test('the pass mark decides the look where the campus states it', () => {
  assert.equal(cardOf({ ...base, ...back, passed: true }, here, trans).look.style, 's-done');
  assert.equal(cardOf({ ...base, ...back, passed: false }, here, trans).look.style, 's-dev');
});

test('a state this panel does not know is shown as waiting for a person, not lost', () => {
  assert.equal(stageOf({ ...base, state: 'something_new' }, here), 'with_person');
});
