/* What our formgrader adds to nbgrader's pages: gradings are queued, and their progress shows in
   the column Status. No words stand here: the server sends them. */
"use strict";

const LOOK_MS = 1000;
const HAND_IN = document.currentScript.dataset.handIn;

// What is saved belongs to the hand-in that this page shows, also where a newer one has come.
$.ajaxPrefilter((options, _given, request) => {
  if (HAND_IN) request.setRequestHeader("X-Bioskills-Hand-In", HAND_IN);
});

// nbgrader's page says nothing where something could not be saved.
$(document).ajaxError((_event, answer, options) => {
  if (options.type !== "PUT" || document.getElementById("not-saved")) return;
  const { title = "Error", message = String(answer.status) } = answer.responseJSON || {};
  createModal("not-saved", title, $("<p/>").text(message));
});

function watchGradings() {
  const url = `${base_url}/formgrader/api/assignment/${encodeURIComponent(assignment_id)}`;
  const busy = new Set();
  let timer = null;

  function say(text) {
    document.getElementById("autograde-said").textContent = text;
  }

  function show(view, words) {
    view.$status.empty().append($("<span/>").addClass("label label-info").text(words));
    view.$status.attr("data-order", 0.5);
  }

  function apply(gradings) {
    for (const view of views) {
      const student = view.model.get("student");
      const grading = gradings[student];
      if (!grading) continue;
      if (grading.state === "queued" || grading.state === "running") {
        busy.add(student);
        show(view, grading.words);
      } else if (busy.delete(student)) {
        view.model.fetch();
        if (grading.state === "failed") say(`${student}: ${grading.words}`);
      }
    }
  }

  function look() {
    clearTimeout(timer);
    if (document.hidden) {
      // A tab that nobody sees must not keep the server from being stopped as idle.
      document.addEventListener("visibilitychange", look, { once: true });
      return;
    }
    $.ajax({ url: `${url}/gradings`, dataType: "json", headers: sameOrigin() })
      .done(apply)
      .always(() => {
        // Somebody else may press the button, or a learner hand in: then this page shows it, too.
        timer = setTimeout(look, busy.size ? LOOK_MS : 10 * LOOK_MS);
      });
  }

  function ask(path) {
    $.ajax({ url: path, type: "post", dataType: "json" })
      .done((answer) => {
        say(answer.log);
        look();
      })
      .fail((answer) => createModal("error-modal", "Error", String(answer.status)));
  }

  SubmissionUI.prototype.autograde = function (event) {
    if (event) event.preventDefault();
    const student = encodeURIComponent(this.model.get("student"));
    const assignment = encodeURIComponent(this.model.get("name"));
    ask(`${base_url}/formgrader/api/submission/${assignment}/${student}/autograde`);
  };

  document
    .getElementById("autograde-all")
    .addEventListener("click", () => ask(`${url}/autograde`));
  look();
}

// The hub takes a cookie from a script only together with this.
function sameOrigin() {
  return { "X-CSRFToken": getCookie("_xsrf") };
}

// Formulas stay as they were typed; nbgrader's page waits for the script that would draw them.
if (!window.MathJax) {
  const tell = (heard) => setTimeout(() => heard("End"), 0);
  window.MathJax = { Hub: { Startup: { signal: { Interest: tell } } } };
}

window.addEventListener("load", () => {
  for (const eye of document.querySelectorAll("[data-show-names]")) {
    eye.addEventListener("click", () => toggle_name(eye.dataset.showNames === "true"));
  }
  if (document.getElementById("autograde-all")) watchGradings();
});
