// What ended and why, what is nearly full, and that each event is said once.
import assert from 'node:assert/strict';
import test from 'node:test';

import { countersOf, metersOf, newsOf, stateOf } from '../lib/limits.js';

const trans = { __: (text, ...args) => text.replace(/%(\d)/g, (_, n) => String(args[n - 1])) };
const MB = 1 << 20;
const quiet = {
  known: true,
  memory: { now: 300 * MB, limit: 1024 * MB, oom_kills: 0 },
  processes: { now: 30, limit: 200, hits: 0 },
  home: { now: 100 * MB, limit: 2048 * MB, full: false },
  tmp: { now: 0, limit: 256 * MB }
};
const none = { oom_kills: 0, hits: 0 };
const news = (limits, before) => newsOf(limits, before, 'en-GB', trans);

test('while all is well nothing is said and no meter is shown', () => {
  assert.deepEqual(news(quiet, none), []);
  assert.deepEqual(stateOf(quiet, 'en-GB', trans), []);
  assert.deepEqual(metersOf(quiet, 'en-GB', trans), []);
});

test('a kernel that was ended for want of memory is said with the limit and what to do', () => {
  const ended = { ...quiet, memory: { ...quiet.memory, oom_kills: 1 } };
  const [notice] = news(ended, none);
  assert.equal(
    notice.message,
    'Your notebook needed more memory than the 1,024 MB of your lab, so Python was ended. Your files are safe; values in memory are gone.'
  );
  assert.match(notice.next, /fewer records at a time; ask your instructor/);
});

test('an event is said once, and again when it happens again', () => {
  const once = { ...quiet, processes: { ...quiet.processes, hits: 5 } };
  assert.equal(news(once, none).length, 1);
  assert.deepEqual(news(once, countersOf(once)), []);
  assert.equal(news({ ...quiet, processes: { ...quiet.processes, hits: 6 } }, countersOf(once)).length, 1);
});

test('a lab that was started anew counts from nought', () => {
  assert.deepEqual(news(quiet, { oom_kills: 3, hits: 9 }), []);
  const ended = { ...quiet, memory: { ...quiet.memory, oom_kills: 1 } };
  assert.equal(news(ended, { oom_kills: 3, hits: 0 })[0].thing, 'memory');
});

test('a full home is said as long as it is full', () => {
  const full = { ...quiet, home: { now: 2050 * MB, limit: 2048 * MB, full: true } };
  const [notice] = stateOf(full, 'en-GB', trans);
  assert.match(notice.message, /^Your files take 2,050 MB of the 2,048 MB you may use/);
  assert.match(notice.message, /you can still hand in/);
});

test('a disk that is full for everybody is no fault of the learner', () => {
  const full = { ...quiet, home: { ...quiet.home, limit: null, disk_full: true } };
  const [notice] = stateOf(full, 'en-GB', trans);
  assert.match(notice.message, /^The server's disk is full/);
  assert.match(notice.next, /Tell your instructor/);
});

test('a meter is shown from 80 % on', () => {
  const near = {
    ...quiet,
    memory: { ...quiet.memory, now: 900 * MB },
    processes: { ...quiet.processes, now: 159 },
    tmp: { now: 256 * MB, limit: 256 * MB }
  };
  assert.deepEqual(
    metersOf(near, 'en-GB', trans).map(({ thing, label, words }) => [thing, label, words]),
    [
      ['memory', 'Memory', '900 MB of 1,024 MB'],
      ['tmp', 'Temporary files', '256 MB of 256 MB']
    ]
  );
  assert.match(stateOf(near, 'en-GB', trans)[0].message, /\/tmp, is full \(256 MB\)/);
});

test('what nobody counts is passed over', () => {
  const bare = { known: true, memory: { now: null, limit: null, oom_kills: null }, tmp: null };
  assert.deepEqual(news(bare, none), []);
  assert.deepEqual(stateOf(bare, 'en-GB', trans), []);
  assert.deepEqual(metersOf(bare, 'en-GB', trans), []);
});
