"""Show a hand-in to an instructor without running any of it.

Law (charter, 9): a notebook is hostile. Before it is shown, everything goes that the
page does not need: metadata, outputs of kinds that run or load something, attachments
that are no pictures. Its texts pass an allow-list of tags: nbgrader's template puts
Markdown cells into the page as they are, even where `sanitize_html` is on. What slips
through meets a page that runs only its own scripts (`pages.py`).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import bleach  # type: ignore[import-untyped]  # it has no types
from bleach.css_sanitizer import CSSSanitizer  # type: ignore[import-untyped]  # as above
from jinja2 import Environment, pass_context
from nbconvert.exporters import HTMLExporter

from bioskills.graders.formgrader.scripts import OwnScripts

TAGS = frozenset(
    [
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "caption",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "details",
        "div",
        "dl",
        "dt",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "kbd",
        "li",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
    ]
)
CLASS = re.compile(r"(highlight|dataframe|hl-[a-z]+|ansi-[a-z0-9-]+|[a-z][a-z0-9]{0,2})", re.ASCII)
PICTURE = re.compile(r"data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=\s]*", re.ASCII)
ADDRESS = re.compile(r"(https?://|mailto:)", re.IGNORECASE)
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*", re.ASCII)
PICTURES = ("image/png", "image/jpeg", "image/gif")
KINDS = frozenset(
    {"text/plain", "text/html", "text/markdown", "text/latex", "image/svg+xml", *PICTURES}
)
"""Kinds of output that are shown. An SVG is shown as a picture, in which no script runs."""
IDENTIFIER = re.compile(r"[\w.-]{1,200}", re.ASCII)
FLAGS = ("grade", "solution", "locked", "task")
PROTOCOLS = ("http", "https", "mailto", "data")

_STYLES = CSSSanitizer(allowed_css_properties=["text-align", "width", "font-weight"])


def clean(html: object) -> str:
    """Return HTML with the allowed tags and attributes alone."""
    text = html.decode("utf-8", "replace") if isinstance(html, bytes) else str(html)
    cleaned_text: str = bleach.clean(
        text,
        tags=TAGS,
        attributes=_is_allowed,
        protocols=PROTOCOLS,
        css_sanitizer=_STYLES,
        strip=True,
        strip_comments=True,
    )
    return cleaned_text


def _is_allowed(tag: str, name: str, value: str) -> bool:
    match name:
        case "class":
            return all(CLASS.fullmatch(word) for word in value.split())
        case "href":
            return tag == "a" and bool(ADDRESS.match(value))
        case "src":
            return tag == "img" and bool(PICTURE.fullmatch(value))
        case "alt" | "width" | "height":
            return tag == "img"
        case "colspan" | "rowspan" | "style":
            return tag in {"td", "th"}
        case _:
            return False


def cleaned(notebook: Any) -> Any:
    """Return the notebook with nothing in it that its page does not need; the given one is changed."""
    notebook.metadata = type(notebook.metadata)(language_info={"name": "python"})
    for cell in notebook.cells:
        cell.metadata = type(cell.metadata)(_cell_metadata(cell.metadata))
        if "attachments" in cell:
            cell.attachments = _pictures(cell.attachments)
        if "outputs" in cell:
            cell.outputs = [_output(output) for output in cell.outputs]
    return notebook


def _cell_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    found = metadata.get("nbgrader")
    if not isinstance(found, Mapping) or not IDENTIFIER.fullmatch(str(found.get("grade_id"))):
        return {}
    kept: dict[str, Any] = {flag: bool(found.get(flag)) for flag in FLAGS}
    return {"nbgrader": {**kept, "grade_id": found["grade_id"], "points": _number(found)}}


def _number(metadata: Mapping[str, Any]) -> float:
    points = metadata.get("points")
    return float(points) if isinstance(points, int | float) else 0.0


def _pictures(attachments: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {kind: data for kind, data in bundle.items() if _is_picture(kind, data)}
        for name, bundle in attachments.items()
        if isinstance(bundle, Mapping)
    }


def _output(output: Any) -> Any:
    if "metadata" in output:
        output.metadata = type(output.metadata)()
    if "data" in output:
        output.data = type(output.data)({k: v for k, v in output.data.items() if _is_shown(k, v)})
    return output


def _is_shown(kind: str, data: object) -> bool:
    return kind in KINDS and (kind not in PICTURES or _is_picture(kind, data))


def _is_picture(kind: str, data: object) -> bool:
    return kind in PICTURES and isinstance(data, str) and bool(BASE64.fullmatch(data))


class CleanExporter(HTMLExporter):  # type: ignore[misc]  # nbconvert is untyped
    """nbgrader's page of a hand-in, made of a cleaned notebook."""

    export_from_notebook = None

    def default_filters(self) -> Iterator[tuple[str, Any]]:
        """Clean what becomes HTML, whichever template asks for it."""
        for name, made in super().default_filters():
            yield name, clean if name == "clean_html" else made
        yield "markdown2html", self.clean_markdown

    @pass_context
    def clean_markdown(self, context: Any, source: str) -> str:
        """Return Markdown as HTML with the allowed tags alone."""
        return clean(super().markdown2html(context, source))

    def from_notebook_node(self, nb: Any, resources: Any = None, **options: Any) -> Any:
        """Return the page and its resources."""
        return super().from_notebook_node(cleaned(nb), resources, **options)

    def _create_environment(self) -> Environment:
        environment: Environment = super()._create_environment()
        if environment.loader is not None:
            environment.loader = OwnScripts(environment.loader, "resources.nonce")
        return environment
