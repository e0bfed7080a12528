"""Write the campus's feedback as one plain HTML page.

Law: every text is escaped, also the learner's own; the page loads nothing.
"""

from collections.abc import Iterator
from html import escape

from bioskills.base.text import _
from bioskills.base.wire import CheckNote, Criterion, Feedback

_STYLE = "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"


def feedback_page(feedback: Feedback) -> str:
    """Return the page."""
    title = escape(_("Feedback: {title}").format(title=feedback.title))
    parts = [*_summary(feedback), *_criteria(feedback), *_elsewhere(feedback)]
    body = "\n".join([f"<h1>{title}</h1>", *parts])
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _summary(feedback: Feedback) -> Iterator[str]:
    text = _("Attempt {n}, receipt {code}: {points} of {most} points.").format(
        n=feedback.attempt,
        code=feedback.receipt,
        points=feedback.points,
        most=feedback.max_points,
    )
    yield f"<p>{escape(text)}</p>"
    if feedback.state == "preliminary":
        yield f"<p>{escape(_('Preliminary: a person still has to look at a part of it.'))}</p>"
    if feedback.reason:
        yield f"<p>{escape(feedback.reason)}</p>"
    if feedback.next:
        yield f"<p>{escape(_('What to try next: {tip}').format(tip=feedback.next))}</p>"


def _criteria(feedback: Feedback) -> Iterator[str]:
    for criterion in feedback.criteria:
        yield f"<h2>{escape(criterion.title)}</h2>"
        yield f"<p>{escape(_points(criterion))}</p>"
        if criterion.checks:
            yield (
                "<ul>"
                + "".join(f"<li>{escape(_check(c))}</li>" for c in criterion.checks)
                + "</ul>"
            )
        if criterion.why:
            yield f"<p>{escape(criterion.why)}</p>"
        if criterion.comment:
            yield f"<p>{escape(criterion.comment)}</p>"
        if criterion.hints:
            yield "<ol>" + "".join(f"<li>{escape(hint)}</li>" for hint in criterion.hints) + "</ol>"
        if criterion.printed:
            yield _printed(criterion.printed)


def _elsewhere(feedback: Feedback) -> Iterator[str]:
    for each in feedback.printed:
        yield f"<h2>{escape(each.title)}</h2>"
        yield _printed(each.text)


def _printed(text: str) -> str:
    word = escape(_("What your code printed"))
    return f"<details><summary>{word}</summary><pre>{escape(text)}</pre></details>"


def _points(criterion: Criterion) -> str:
    if criterion.points is None:
        return _("A person will grade this ({most} points).").format(most=criterion.max_points)
    text = _("{points} of {most} points")
    return text.format(points=criterion.points, most=criterion.max_points)


def _check(check: CheckNote) -> str:
    words = {True: _("passed"), False: _("not passed"), None: _("did not run")}
    return f"{check.label}: {words[check.passed]}"
