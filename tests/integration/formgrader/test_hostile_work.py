"""A hand-in that is hostile on display is shown, and nothing of it runs or loads anything."""

import re
from typing import Any

import pytest
from bioskills_formgrader import at_formgrader, scripts_of
from bioskills_handins import HandIns
from bioskills_product import Product

pytestmark = pytest.mark.integration

MARKDOWN = """\
# Looks fine
<script>pwned = 1</script>
<img src=x onerror="pwned = 1"> <svg onload="pwned = 1"><animate onbegin="pwned = 1"></svg>
[click](javascript:pwned=1) <a href="jAvAsCrIpT:pwned=1">me</a> <a href="data:text/html,x">too</a>
<iframe srcdoc="<script>parent.pwned=1</script>"></iframe> <form action="/hub/logout"><input name=x></form>
<base href="http://elsewhere.example/"> <link rel=stylesheet href="http://elsewhere.example/a.css">
<meta http-equiv="refresh" content="0;url=http://elsewhere.example/"> <object data="http://elsewhere.example/"></object>
<style>@import url(http://elsewhere.example/b.css); body { display: none }</style>
<img src="http://elsewhere.example/seen.png"> <div id="submission_id" class="score tabbable">x</div>
![picture](attachment:a.png) <math><mtext><table><mglyph><style><img src=x onerror=pwned=1>
"""

OUTPUTS = """\
from IPython.display import HTML, Javascript, Markdown, SVG, Latex, display, publish_display_data
display(HTML("<b>kept</b><script>pwned = 1</script><img src=x onerror='pwned = 1'>"))
display(Javascript("pwned = 1"))
display(Markdown("<img src=x onerror='pwned = 1'>"))
display(SVG("<svg xmlns='http://www.w3.org/2000/svg' onload='pwned = 1'><script>pwned=1</script></svg>"))
display(Latex("$x$</div><script>pwned = 1</script>"))
png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
publish_display_data({"image/png": png}, {"image/png": {"width": "1 onload=pwned=1", "height": "1 onerror=pwned=1"}})
publish_display_data({"image/png": 'x" onerror="pwned = 1'})
publish_display_data({"text/html": "<script>pwned = 1</script>"}, {"text/html": {"isolated": True}})
publish_display_data({"application/vnd.jupyter.widget-view+json": {"model_id": "</script><script>pwned = 1</script>"}})
publish_display_data({"text/vnd.mermaid": "graph </pre><script>pwned = 1</script>"})
print("\\x1b[31m<script>pwned = 1</script>\\x1b[0m")
"""

HANDLER = re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE)


def make_hostile(book: dict[str, Any]) -> None:
    """Plant everything into a notebook that its learner could plant."""
    book["metadata"]["title"] = "</title><script>pwned = 1</script>"
    book["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"x": "</script>"}}
    book["metadata"]["language_info"] = {"name": '"><script>pwned = 1</script>'}
    planted = {"alt": '"><script>pwned = 1</script>', "tags": ['"><script>pwned=1</script>']}
    png = {"image/png": 'x" onerror="pwned = 1', "text/html": "<script>pwned = 1</script>"}
    book["cells"] += [
        {
            "cell_type": "markdown",
            "id": "hostile-1",
            "metadata": planted,
            "source": MARKDOWN,
            "attachments": {"a.png": png},
        },
        {
            "cell_type": "code",
            "id": "hostile-2",
            "metadata": planted,
            "source": OUTPUTS,
            "outputs": [],
            "execution_count": None,
        },
    ]


@pytest.fixture(scope="module")
def page(product: Product) -> str:
    """The page on which an instructor reads the hostile work."""
    miro = HandIns(product, "miro")
    files = {"data/evil.html": b"<script>pwned = 1</script>", "nbgrader_config.py": b"boom"}
    miro.hand_in("p1", make_hostile, files)
    assert miro.graded("p1")
    with at_formgrader(product, "ina") as ina:
        assert ina.open()
        submission = ina.rows(
            "select n.id from submitted_notebook n join submitted_assignment a on a.id = n.assignment_id"
            " where a.student_id = 'p-000002'"
        )[0][0]
        answer = ina.get(f"formgrader/submissions/{submission}/")
        for name in ("data/evil.html", "nbgrader_config.py", "timestamp.txt"):
            assert ina.get(f"formgrader/submissions/{submission}/{name}").status_code == 404
    assert answer.is_success, answer.text
    return answer.text


def test_it_is_shown(page: str) -> None:
    assert "Looks fine" in page
    assert "<b>kept</b>" in page
    assert "pwned" in page  # as text: the code of the cell is read


def test_no_script_is_in_it_but_those_of_the_page(page: str) -> None:
    scripts = re.findall(r"<script[^>]*>[^<]*", page)

    assert scripts_of(page) == []
    assert [script for script in scripts if "pwned" in script] == []


def test_no_tag_in_it_reacts_to_anything(page: str) -> None:
    assert HANDLER.findall(page) == []


def test_nothing_in_it_is_loaded_or_sent_elsewhere(page: str) -> None:
    tags = re.findall(r"<[a-z][^>]*>", page, re.IGNORECASE)
    loading = [tag for tag in tags if re.search(r"\s(src|href|data|action)\s*=", tag)]
    kinds = {tag[1:].split()[0].rstrip(">").lower() for tag in tags}

    assert [tag for tag in loading if "elsewhere.example" in tag] == []
    assert [
        tag for tag in loading if re.search(r"=\s*.?\s*(javascript|data:text)", tag, re.IGNORECASE)
    ] == []
    assert (
        kinds & {"iframe", "object", "embed", "form", "base", "svg", "math", "meta http"} == set()
    )
    assert not re.search(r"<meta[^>]*refresh", page, re.IGNORECASE)


def test_no_element_of_it_passes_for_one_of_the_page(page: str) -> None:
    assert page.count('id="submission_id"') == 0
    assert len(re.findall(r'class="score tabbable"', page)) == 3  # the three tests of the course
