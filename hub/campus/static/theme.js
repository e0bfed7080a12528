// Switch between light and dark, and remember it. Pages work without this file.
(() => {
  'use strict';
  const key = 'bioskills-theme';
  const root = document.documentElement;
  const read = () => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };
  const write = theme => {
    try {
      localStorage.setItem(key, theme);
    } catch {
      // Storage is blocked: the choice then lasts for this page.
    }
  };
  const system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  root.dataset.bsTheme = read() ?? system;

  document.addEventListener('DOMContentLoaded', () => {
    const button = document.getElementById('theme');
    if (!button) {
      return;
    }
    const show = () => {
      button.setAttribute('aria-pressed', String(root.dataset.bsTheme === 'dark'));
    };
    button.addEventListener('click', () => {
      root.dataset.bsTheme = root.dataset.bsTheme === 'dark' ? 'light' : 'dark';
      write(root.dataset.bsTheme);
      show();
    });
    button.hidden = false;
    show();
  });
})();
