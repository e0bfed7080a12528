"""What formgrader shows of a notebook: an allow-list, whatever stands in it."""

import nbformat
import pytest
from jinja2 import DictLoader, Environment

from bioskills.graders.formgrader.notebooks import clean, cleaned
from bioskills.graders.formgrader.scripts import OwnScripts, policy

GONE = {
    "script": "<script>a()</script>",
    "handler": "<img src=x onerror=a()>",
    "handler of an allowed tag": '<b onmouseover="a()">',
    "svg": "<svg onload=a()><script>a()</script></svg>",
    "mutation": "<math><mtext><table><mglyph><style><img src=x onerror=a()>",
    "javascript address": '<a href="java&#x09;script:a()">',
    "data address": '<a href="data:text/html,<script>a()</script>">',
    "address of another host in a picture": '<img src="http://elsewhere.example/a.png">',
    "svg in a picture": '<img src="data:image/svg+xml;base64,AAAA">',
    "style": '<p style="background:url(http://elsewhere.example)">',
    "style of a table": '<td style="background:url(http://elsewhere.example)">',
    "style sheet": "<style>@import 'http://elsewhere.example'</style>",
    "frame": "<iframe srcdoc='<script>a()</script>'>",
    "form": "<form action=/hub/logout><input name=_xsrf></form>",
    "name of the page's": '<p id="submission_id" name="x">',
    "class of the page's": '<p class="score tabbable">',
    "base": "<base href=//elsewhere.example>",
    "comment": "<!--[if IE]><script>a()</script><![endif]-->",
}
DANGER = ("<script", "onerror=", "onload=", "onmouseover=", "<svg", "<iframe", "<form", "<input",
          "<base", "<style", "url(", "='http:", "submission_id", "tabbable", "<!--", "src=", "<math",
          'href="java', 'href="data')  # fmt: skip
KEPT = {
    "heading": "<h1>a</h1>",
    "link": '<a href="https://example.org/">a</a>',
    "picture": '<img alt="b" src="data:image/png;base64,AAAA">',
    "table": '<table class="dataframe"><thead><tr><th>a</th></tr></thead></table>',
    "code": '<div class="highlight"><pre><span class="kn">import</span></pre></div>',
}


@pytest.mark.parametrize("what", GONE)
def test_it_does_not_get_through(what: str) -> None:
    found = clean(GONE[what]).lower()

    assert [sign for sign in DANGER if sign in found] == []


@pytest.mark.parametrize("what", KEPT)
def test_it_stays_as_it_is(what: str) -> None:
    assert clean(KEPT[what]) == KEPT[what]


def hostile() -> nbformat.NotebookNode:
    book = nbformat.v4.new_notebook(metadata={"title": "<script>", "widgets": {"a": {}}})
    for name in ("count", 'x" onfocus="a()', ["list"]):
        cell = nbformat.v4.new_markdown_cell("a")
        cell.metadata = {
            "nbgrader": {"grade_id": name, "points": "9<", "solution": "yes"},
            "tags": [1],
        }
        cell.attachments = {"a.svg": {"image/svg+xml": "<svg/>", "image/png": "AAAA"}}
        book.cells.append(cell)
    code = nbformat.v4.new_code_cell("1")
    data = {"text/plain": "1", "application/javascript": "a()", "text/html": "<b>"}
    code.outputs = [nbformat.v4.new_output("display_data", data, metadata={"isolated": True})]
    book.cells.append(code)
    return nbformat.from_dict(book)


def test_a_cell_keeps_only_a_name_that_a_page_may_hold() -> None:
    found = [cell.metadata for cell in cleaned(hostile()).cells[:3]]

    assert found[0]["nbgrader"]["grade_id"] == "count"
    assert found[0]["nbgrader"]["points"] == 0.0
    assert found[0]["nbgrader"]["solution"] is True
    assert found[1:] == [{}, {}]


def test_a_notebook_keeps_neither_metadata_nor_outputs_that_run() -> None:
    book = cleaned(hostile())
    output = book.cells[-1].outputs[0]

    assert book.metadata == {"language_info": {"name": "python"}}
    assert set(output.data) == {"text/plain", "text/html"}
    assert output.metadata == {}
    assert book.cells[0].attachments == {"a.svg": {"image/png": "AAAA"}}


def test_the_nonce_is_in_the_scripts_of_the_template_and_not_in_those_of_its_values() -> None:
    templates = {"page": "<script>own()</script>{{ value }}"}
    environment = Environment(loader=OwnScripts(DictLoader(templates), "nonce"))
    page = environment.get_template("page").render(nonce="n1", value="<script>theirs()</script>")

    assert page == '<script nonce="n1">own()</script><script>theirs()</script>'
    assert "script-src 'nonce-n1';" in policy("n1")
