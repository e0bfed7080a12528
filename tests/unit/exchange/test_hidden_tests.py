"""A page of nbgrader's that quotes hidden tests is known, in whatever markup it stands."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from bioskills.hub.campus.hidden_tests import hidden_lines, shows
from bioskills.hub.campus.objects import Objects

TEST = """\
assert gc("A") == 0
### BEGIN HIDDEN TESTS
assert gc("acgtn") == 50, "[lower_case] & more"
)
### END HIDDEN TESTS
assert gc("C") == 1
"""


@pytest.fixture
def secret(tmp_path: Path) -> frozenset[str]:
    book = json.dumps({"cells": [{"source": TEST.splitlines(keepends=True)}, {"source": "x = 1"}]})
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("assignments/p1/p1.ipynb", book)
        archive.writestr("assignments/p1/broken.ipynb", "{")
        archive.writestr("assignments/s1/s1.ipynb", book.replace("acgtn", "other"))
    objects = Objects(tmp_path / "objects")
    return hidden_lines(objects, objects.put(body.getvalue()), "p1")


# A page, and whether it shows what no learner may read.
PAGES = {
    "a remark": ("<p>Well done: gc(&quot;A&quot;) works.</p>", False),
    "a visible test": ('<pre>assert gc("C") == 1\n)</pre>', False),
    "the test as it is": ('<pre>assert gc("acgtn") == 50, "[lower_case] & more"</pre>', True),
    "the test in colours": (
        "<b>assert</b> gc(&quot;acgtn&quot;)<i> == </i>50, &#34;[lower_case]&nbsp;&amp; more&#34;",
        True,
    ),
    "what was printed": ('<div class="jp-OutputArea-output"><pre>17 8 42</pre></div>', True),
}


@pytest.mark.parametrize(("page", "leaks"), PAGES.values(), ids=PAGES)
def test_a_page_is_read_without_its_markup(secret: frozenset[str], page: str, leaks: bool) -> None:
    assert shows(page, secret) == leaks


def test_only_the_lines_of_this_assignments_hidden_tests_are_secret(
    secret: frozenset[str],
) -> None:
    assert secret == {'assertgc("acgtn")==50,"[lower_case]&more"', ")"}


def test_without_hidden_tests_a_page_may_repeat_what_was_printed() -> None:
    assert not shows('<div class="jp-OutputArea-output">17</div>', frozenset())
