/* Looks whether the page answers again; only then is it loaded. */
"use strict";
(() => {
  const AWAY = [502, 503, 504];
  const pause = () => 2000 + 2000 * Math.random(); // not all learners in the same moment
  const isBack = async () => {
    try {
      const how = { method: "HEAD", redirect: "manual", cache: "no-store" };
      const answer = await fetch(location.href, how);
      return !AWAY.includes(answer.status);
    } catch {
      return false; // the proxy itself is away
    }
  };
  const look = async () => {
    if (await isBack()) {
      location.replace(location.pathname + location.search); // never sends a form twice
    } else {
      setTimeout(look, pause());
    }
  };
  document.getElementById("looking").hidden = false;
  setTimeout(look, pause());
})();
