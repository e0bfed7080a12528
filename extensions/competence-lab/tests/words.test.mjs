// Dates, numbers and codes as words. The zone is set by the npm script.
import assert from 'node:assert/strict';
import test from 'node:test';

import { absolute, both, localeOf, relative } from '../lib/dates.js';
import { outcomeNames, percent, plain, pointsOf, size, statusLook, writeNumbers } from '../lib/words.js';

const trans = { __: (text, ...args) => text.replace(/%(\d)/g, (_, n) => String(args[n - 1])) };
const now = new Date('2027-03-18T13:00:00Z');
const at = iso => absolute(iso, now, 'en-GB', trans);

test('days near are named, days of the coming two weeks have a weekday', () => {
  assert.equal(at('2027-03-18T13:02:00Z'), 'today, 14:02');
  assert.equal(at('2027-03-19T13:02:00Z'), 'tomorrow, 14:02');
  assert.equal(at('2027-03-17T13:02:00Z'), 'yesterday, 14:02');
  assert.equal(at('2027-03-22T09:00:00Z'), 'Mon 22 March, 10:00');
  assert.equal(at('2027-05-22T08:00:00Z'), '22 May, 10:00'); // summer time
  assert.equal(at('2026-03-11T08:00:00Z'), '11 March 2026, 09:00');
});

test('midnight belongs to the day that begins', () => {
  assert.equal(at('2027-03-18T23:00:00Z'), 'tomorrow, 00:00');
});

test('the relative time stands beside the absolute one and ends after two weeks', () => {
  assert.equal(both('2027-03-19T17:00:00Z', now, 'en-GB', trans), 'Fri 19 March, 18:00 (in 28 hours)');
  assert.equal(relative('2027-03-18T12:30:00Z', now, 'en-GB'), '30 minutes ago');
  assert.equal(relative('2027-03-25T13:00:00Z', now, 'en-GB'), 'in 7 days');
  assert.equal(relative('2027-05-01T13:00:00Z', now, 'en-GB'), '');
});

test('another language gets its own dates', () => {
  assert.equal(localeOf('de'), 'de');
  assert.match(absolute('2027-03-22T09:00:00Z', now, 'de', trans), /22\. März, 10:00/);
});

test('outcomes are named short and grouped by unit', () => {
  assert.equal(outcomeNames(['BSH-U04-S1', 'BSH-U04-K2', 'BSH-U01-K1']), 'U04 S1, K2; U01 K1');
  assert.equal(outcomeNames([]), '');
});

test('a percentage is rounded down, so that 69.99 never reads as 70', () => {
  assert.equal(percent('6.999', '10'), 69);
  assert.equal(percent('7.0', '10'), 70);
  assert.equal(percent('0.29', '1'), 29);
  assert.equal(percent(null, '10'), null);
  assert.equal(percent('0', '0'), null);
});

test('numbers lose zeros that say nothing', () => {
  assert.equal(plain('7.50'), '7.5');
  assert.equal(plain('10.00'), '10');
  assert.equal(plain('10'), '10');
  assert.equal(pointsOf('7.50', '11', trans), '7.5 of 11 points');
});

test('sizes have a unit', () => {
  assert.deepEqual([size(8), size(3000), size(5 << 20)], ['8 B', '3 KB', '5.0 MB']);
});

test('an unknown status is not assessed', () => {
  assert.equal(statusLook('new-status', trans).text, 'Not assessed yet');
});

test('numbers are written as readers of the language write them', () => {
  writeNumbers('de');
  assert.equal(plain('1107.50'), '1.107,5');
  assert.equal(plain('7'), '7');
  assert.equal(size(2 << 20), '2,0 MB');
  writeNumbers('en-GB');
  assert.equal(plain('1107.50'), '1,107.5');
});
