// What a hostile page would try against somebody who is signed in at the campus.
// It reports what it could read, and whether it got an answer at all; it changes what it can.
async function attack(campus, run) {
  const read = [];
  const tried = [];
  const origin = new URL(campus).origin;
  const assignment = `${campus}runs/${run}/assignments/p1`;
  const attempt = async (name, act) => {
    tried.push(name);
    try {
      const got = await act();
      if (got) {
        read.push(`${name}: ${String(got).slice(0, 200)}`);
      }
    } catch {
      // Refused: as it should be.
    }
  };
  const forms = {
    due: [`${assignment}/due`, { date: '2030-01-01', time: '01:00', _csrf: '' }],
    close: [`${assignment}/close`, {}],
    extension: [`${assignment}/extension`, { learner: 'all', date: '2026-12-31', time: '10:00' }],
    token: [`${campus}tokens`, { label: 'planted', run, verbs: 'release', days: '1' }],
    'sign-out': [`${campus}sign-out`, {}]
  };
  const pages = ['', 'passport', 'courses', `runs/${run}`, 'cohorts/demo', 'cohorts/demo/table.csv',
    'tokens', 'api/v1/lab/overview', `exchange/v1/runs/${run}/assignments`];
  const asks = [{ credentials: 'include' }, { credentials: 'include', mode: 'no-cors' },
    { credentials: 'include', headers: { Authorization: 'Bearer guess' } }];

  for (const path of pages) {
    for (const ask of asks) {
      await attempt(`fetch ${path} ${ask.mode ?? ''}`, async () => (await fetch(campus + path, ask)).text());
    }
    await attempt(`XMLHttpRequest ${path}`, () => new Promise((yes, no) => {
      const request = new XMLHttpRequest();
      request.withCredentials = true;
      request.open('GET', campus + path);
      request.onload = () => yes(request.responseText);
      request.onerror = no;
      request.send();
    }));
  }
  for (const [name, [address, fields]] of Object.entries(forms)) {
    const body = new URLSearchParams(fields);
    for (const mode of ['cors', 'no-cors']) {
      await attempt(`post ${name} ${mode}`, async () =>
        (await fetch(address, { method: 'POST', credentials: 'include', mode, body })).text());
    }
    await attempt(`beacon ${name}`, () => (navigator.sendBeacon(address, body), ''));
    for (const target of ['planted-frame', '_blank']) {
      await attempt(`form ${name} ${target}`, () => {
        const form = document.createElement('form');
        Object.assign(form, { method: 'post', action: address, target });
        for (const [field, value] of Object.entries(fields)) {
          form.append(Object.assign(document.createElement('input'), { name: field, value }));
        }
        document.body.append(form);
        form.submit();
      });
    }
  }
  await attempt('a cookie of the campus', () => (document.cookie.includes('bioskills-session') ? document.cookie : ''));
  for (const path of ['courses', 'passport']) {
    await attempt(`frame ${path}`, () => new Promise(yes => {
      const frame = document.createElement('iframe');
      frame.name = 'planted-frame';
      frame.src = campus + path;
      frame.onload = () => {
        try {
          yes(frame.contentDocument?.body?.innerText ?? '');
        } catch {
          yes('');
        }
      };
      document.body.append(frame);
      setTimeout(() => yes(''), 3000);
    }));
    await attempt(`window ${path}`, async () => {
      const other = window.open(campus + path);
      await new Promise(yes => setTimeout(yes, 1500));
      return other?.document?.body?.innerText;
    });
  }
  for (const [tag, field] of [['img', 'src'], ['script', 'src'], ['link', 'href']]) {
    await attempt(`${tag} of a table`, () => new Promise(yes => {
      const element = document.createElement(tag);
      element.rel = 'stylesheet';
      element.onload = () => yes(`${tag} loaded`);
      element.onerror = () => yes('');
      element[field] = `${campus}cohorts/demo/table.csv`;
      document.body.append(element);
    }));
  }
  return { read, tried, origin };
}
