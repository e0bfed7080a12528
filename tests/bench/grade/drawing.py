"""Draw the result: three small charts, one bar for each run.

Law: an SVG of plain shapes without script or outside request; every bar has its
figure as text, so that nothing is said by colour or length alone.
"""

from html import escape
from typing import Any

WIDTH, ROW, TOP, BAR_X, BAR = 1080, 22, 64, 118, 160
PANEL = WIDTH // 3
COLOURS = {"stock": "#8a8f98", "ours": "#0b6e6e", "product": "#7a4b94"}
PANELS = (
    ("CPU seconds per submission", "cpu_s_each"),
    ("Submissions per minute", "per_minute"),
    ("Peak memory (PSS, MB)", "peak_mb"),
)


def chart(rows: list[dict[str, Any]], words: str) -> str:
    """Return the drawing; `words` says the conditions."""
    height = TOP + ROW * len(rows) + 40
    body = "".join(
        panel(number * PANEL, title, [(row, row.get(key)) for row in rows])
        for number, (title, key) in enumerate(PANELS)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-labelledby="t d" font-family="sans-serif" font-size="13">'
        f'<title id="t">Grading: nbgrader autograde and BioSkills Hub</title>'
        f'<desc id="d">{escape(words)}</desc>'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>{body}'
        f'<text x="12" y="{height - 12}" fill="#3c4149" font-size="12">{escape(words)}</text></svg>\n'
    )


def panel(left: int, title: str, bars: list[tuple[dict[str, Any], float | None]]) -> str:
    """Return one chart."""
    longest = max((length or 0 for _row, length in bars), default=0) or 1
    head = f'<text x="{left + 12}" y="34" font-weight="bold" fill="#1b1f24">{escape(title)}</text>'
    return head + "".join(
        bar(left, TOP + ROW * place, row, length, longest)
        for place, (row, length) in enumerate(bars)
    )


def bar(left: int, y: int, row: dict[str, Any], length: float | None, longest: float) -> str:
    """Return one bar with its name and figure."""
    wide = max(BAR * (length or 0) / longest, 1)
    said = "no figure" if length is None else f"{length:.3g}"
    name = escape(f"{row['side']} {row['batch']}")
    return (
        f'<text x="{left + 12}" y="{y + 13}" fill="#1b1f24">{name}</text>'
        f'<rect x="{left + BAR_X}" y="{y}" width="{wide:.1f}" height="16" fill="{COLOURS[row["side"]]}"/>'
        f'<text x="{left + BAR_X + wide + 6:.1f}" y="{y + 13}" fill="#1b1f24">{said}</text>'
    )
