"""Draw a measurement: three small charts side by side, one bar for each run.

Law: an SVG of plain shapes without script or outside request; every bar has its
figure as text, so that nothing is said by colour or length alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

Row = dict[str, Any]
Place = Sequence[str]
WIDTH, ROW, TOP = 1080, 22, 64
PANEL = WIDTH // 3
COLOURS = {"stock": "#8a8f98", "ours": "#0b6e6e", "product": "#7a4b94"}


@dataclass(frozen=True)
class Chart:
    """What a drawing shows of each run.

    Attributes:
        title: Of the drawing.
        panels: Title of each chart, and where in a run its figure is.
        name: Where a run's name is, beside its side.
        bar_x: Where bars begin.
        bar: Length of the longest.
    """

    title: str
    panels: Sequence[tuple[str, Place]]
    name: str
    bar_x: int
    bar: int

    def drawn(self, rows: Sequence[Row], words: str) -> str:
        """Return the drawing; `words` says the conditions."""
        height = TOP + ROW * len(rows) + 40
        body = "".join(
            self._panel(number * PANEL, title, [(row, value(row, place)) for row in rows])
            for number, (title, place) in enumerate(self.panels)
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
            f'aria-labelledby="t d" font-family="sans-serif" font-size="13">'
            f'<title id="t">{escape(self.title)}</title>'
            f'<desc id="d">{escape(words)}</desc>'
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>{body}'
            f'<text x="12" y="{height - 12}" fill="#3c4149" font-size="12">{escape(words)}</text></svg>\n'
        )

    def _panel(self, left: int, title: str, bars: Sequence[tuple[Row, float | None]]) -> str:
        longest = max((length or 0 for _row, length in bars), default=0) or 1
        words = escape(title)
        head = f'<text x="{left + 12}" y="34" font-weight="bold" fill="#1b1f24">{words}</text>'
        return head + "".join(
            self._bar(left, TOP + ROW * place, row, length, (length or 0) / longest)
            for place, (row, length) in enumerate(bars)
        )

    def _bar(self, left: int, y: int, row: Row, figure: float | None, share: float) -> str:
        wide, start = max(self.bar * share, 1), left + self.bar_x
        said = "no figure" if figure is None else f"{figure:.3g}"
        name = escape(f"{row['side']} {row[self.name]}")
        return (
            f'<text x="{left + 12}" y="{y + 13}" fill="#1b1f24">{name}</text>'
            f'<rect x="{start}" y="{y}" width="{wide:.1f}" height="16" fill="{COLOURS[row["side"]]}"/>'
            f'<text x="{start + wide + 6:.1f}" y="{y + 13}" fill="#1b1f24">{said}</text>'
        )


def value(row: Row, place: Place) -> float | None:
    """Return a figure of a run, or None where there is none."""
    found: Any = row
    for part in place:
        found = found.get(part) if found else None
    return found
