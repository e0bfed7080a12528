"""The bench's course: Biopython, pandas and matplotlib, and every kind of submission.

Fourteen cells: five tested by machine with hidden tests, one of them with
partial credit, and one for a person. `KINDS` are the ways to hand it in;
`DEAR` of them cost a machine something, `BOMB` is for walls alone.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from bioskills_corpus import (
    Book,
    Corpus,
    answer,
    answers_of,
    book,
    check,
    essay,
    fill,
    hidden,
    named,
    plain,
    prose,
    read_book,
    solved,
    write_book,
)

ASSIGNMENT, NOTEBOOK = "genomes", "reading-genomes"
DATA = "samples.csv"
FLOOD_LINES = 200_000
HOG_FLOATS = 200_000_000

IMPORTS = """\
import io
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from Bio import SeqIO
from Bio.Seq import Seq
from Bio.SeqUtils import MeltingTemp"""

SKEW = solved(
    'def gc_skew(dna, window):\n    """Return (G-C)/(G+C) of every full window, 0 where it has neither."""',
    """\
dna, found = dna.upper(), []
for start in range(0, len(dna) - window + 1, window):
    part = dna[start : start + window]
    g, c = part.count("G"), part.count("C")
    found.append((g - c) / (g + c) if g + c else 0.0)
return found""",
)
SKEW_TEST = f"""\
assert gc_skew("GGCC", 4) == [0.0], "[balanced] as many G as C"
assert gc_skew("GGGC", 2) == [1.0, 0.0], "[windows] one value for each window"
{
    hidden('''assert gc_skew("ATAT", 2) == [0.0, 0.0], "[neither] a window without G and C"
assert gc_skew("gggcA", 4) == [0.5], "[lower_case] small letters and a rest"''')
}"""

FRAME = solved(
    'def longest_protein(dna):\n    """Return the longest protein between M and a stop in the three forward frames."""',
    """\
best = ""
for shift in range(3):
    part = dna[shift:]
    protein = str(Seq(part[: len(part) // 3 * 3]).translate())
    for piece in protein.split("*")[:-1]:
        start = piece.find("M")
        if start >= 0 and len(piece) - start > len(best):
            best = piece[start:]
return best""",
)
FRAME_TEST = f"""\
assert longest_protein("ATGGCTTAA") == "MA", "[first_frame] starts at the first letter"
{
    hidden('''assert longest_protein("CCATGGCTGCTTAG") == "MAA", "[other_frames] starts at the third letter"
assert longest_protein("CCCCCC") == "", "[none] nothing to find"''')
}"""

USAGE = solved(
    'def codon_usage(dna):\n    """Return a table with `codon` and `count`: most frequent first, then by name."""',
    """\
count = Counter(dna[at : at + 3] for at in range(0, len(dna) - len(dna) % 3, 3))
table = pd.DataFrame({"codon": list(count), "count": list(count.values())})
return table.sort_values(["count", "codon"], ascending=[False, True], ignore_index=True)""",
)
USAGE_TEST = f"""\
small = codon_usage("ATGATGCCC")
assert list(small.columns) == ["codon", "count"], "[columns] names and order"
assert list(small["codon"]) == ["ATG", "CCC"], "[order] most frequent first"
{
    hidden('''letters = np.random.default_rng(7).choice(list("ACGT"), 240_002)
large = codon_usage("".join(letters))
assert int(large["count"].sum()) == 80_000, "[whole_codons] a rest does not count"
assert large["count"].is_monotonic_decreasing, "[sorted] most frequent first"''')
}"""

TABLE = solved(
    'def fasta_table(text):\n    """Return a table with `name`, `letters` and `tm` (Wallace) of FASTA text."""',
    """\
rows = [
    (record.id, len(record), float(MeltingTemp.Tm_Wallace(record.seq)))
    for record in SeqIO.parse(io.StringIO(text), "fasta")
]
return pd.DataFrame(rows, columns=["name", "letters", "tm"])""",
)
TABLE_TEST = f"""\
reached, table = 0, fasta_table(">one\\nACGT\\n>two\\nGGG\\nCC\\n")
reached += list(table.columns) == ["name", "letters", "tm"]
reached += list(table["name"]) == ["one", "two"]
{
    hidden('''reached += list(table["letters"]) == [4, 5]
reached += abs(table["tm"].iloc[0] - 12) < 1e-9''')
}
reached"""

FIGURE = solved(
    "",
    """\
lengths = pd.read_csv("samples.csv")["letters"]
figure, axes = plt.subplots()
axes.hist(lengths, bins=12)
axes.set_xlabel("letters")
plt.show()""",
)
FIGURE_TEST = f"""\
assert axes.get_xlabel() == "letters", "[label] the axis says what it counts"
{hidden('assert len(axes.patches) == 12, "[bins] twelve bars"')}"""

TESTS = {"skew_test": 2, "frame_test": 3, "usage_test": 3, "table_test": 4, "figure_test": 1}
"""Points of the cells that are graded by machine."""

RIGHT_ESSAY = "A gap between two contigs is a place that nobody has read, not one that is empty."

WRONG = {
    "skew": "def gc_skew(dna, window):\n    return [(dna.count('G') - dna.count('C')) / window]",
    "frame": "def longest_protein(dna):\n    return str(Seq(dna).translate(to_stop=True))",
    "usage": "def codon_usage(dna):\n    count = Counter(dna[at:at + 3] for at in range(len(dna)))\n    return pd.DataFrame({'codon': list(count), 'count': list(count.values())})",
    "table": "def fasta_table(text):\n    rows = [(r.id, len(r) + 1, 0.0) for r in SeqIO.parse(io.StringIO(text), 'fasta')]\n    return pd.DataFrame(rows, columns=['name', 'letters', 'tm'])",
    "figure": "figure, axes = plt.subplots()\naxes.hist(np.arange(50), bins=5)\naxes.set_xlabel('letters')\nplt.show()",
}
RAISING = {
    "skew": "def gc_skew(dna, window):\n    return dna.no_such_method(window)",
    "frame": "def longest_protein(dna)\n    return dna",
    "usage": "def codon_usage(dna):\n    raise NotImplementedError('later')",
    "table": "def fasta_table(text):\n    return not_defined_anywhere",
    "figure": "1 / 0",
}
BOMB_CODE = """\
import os
for _round in range(40):
    try:
        os.fork()
    except OSError:
        pass
"""


def source() -> Book:
    """Return the author's notebook."""
    return book(
        [
            prose("# Reading genomes\n\nFour functions and a figure."),
            plain(IMPORTS),
            answer("skew", SKEW),
            check("skew_test", TESTS["skew_test"], SKEW_TEST),
            answer("frame", FRAME),
            check("frame_test", TESTS["frame_test"], FRAME_TEST),
            answer("usage", USAGE),
            check("usage_test", TESTS["usage_test"], USAGE_TEST),
            answer("table", TABLE),
            check("table_test", TESTS["table_test"], TABLE_TEST),
            answer("figure", FIGURE),
            check("figure_test", TESTS["figure_test"], FIGURE_TEST),
            essay("gap", 5, "What is a gap in an assembly? Two sentences."),
            plain("fasta_table('>again\\nACGTTT\\n')"),
        ]
    )


def make(root: Path) -> None:
    """Write the course into a folder."""
    write_book(root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb", source())
    (root / "source" / ASSIGNMENT / DATA).write_text(samples())


def samples() -> str:
    """Return the course's data file."""
    rows = "\n".join(f"s{number},{90 + number * 7 % 61}" for number in range(200))
    return f"sample,letters\n{rows}\n"


def _changed(name: str, change: Callable[[str], str]) -> Callable[[Book, int], Book]:
    def act(content: Book, _number: int) -> Book:
        return fill(content, {name: change(named(content, name)["source"])})

    return act


def _parts(found: dict[str, str], count: int) -> Callable[[Book, int], Book]:
    """Return what replaces some answers, others for each number."""

    def act(content: Book, number: int) -> Book:
        names = [list(found)[(number + step) % len(found)] for step in range(count)]
        return fill(content, {name: found[name] for name in names})

    return act


def _no_ids(content: Book, _number: int) -> Book:
    for cell in content["cells"]:
        del cell["id"]
    return {**content, "nbformat_minor": 2}


def _deleted(content: Book, _number: int) -> Book:
    kept = [cell for cell in content["cells"] if cell is not named(content, "frame_test")]
    return {**content, "cells": kept}


def _edited(content: Book, _number: int) -> Book:
    cell = named(content, "skew_test")
    cell["source"] = "assert True"
    cell["metadata"]["nbgrader"]["points"] = 200
    return content


CHATTER = """
import sys
_quiet = gc_skew
def gc_skew(dna, window):
    print("one more window", file=sys.stderr)
    return _quiet(dna, window)
"""
KINDS: dict[str, Callable[[Book, int], Book]] = {
    "right": lambda content, _number: content,
    "wrong": _parts(WRONG, 1),
    "mostly_wrong": _parts(WRONG, 3),
    "raising": _parts(RAISING, 1),
    "untouched": lambda content, _number: content,
    "edited_tests": _edited,
    "chatter": _changed("skew", lambda text: text + CHATTER),
    "no_ids": _no_ids,
    "deleted_test": _deleted,
    "looper": _changed("usage", lambda _text: "while True:\n    pass"),
    "hog": _changed("figure", lambda text: f"_much = np.ones({HOG_FLOATS})\n{text}"),
    "flood": _changed(
        "figure",
        lambda text: f"for _line in range({FLOOD_LINES}):\n    print(_line, 'x' * 90)\n{text}",
    ),
    "fork_bomb": _changed("figure", lambda text: BOMB_CODE + text),
}
DEAR = ("looper", "hog", "flood")
BOMB = "fork_bomb"
ORDINARY = tuple(kind for kind in KINDS if kind not in {*DEAR, BOMB})
_ROUND = (
    "right", "wrong", "raising", "mostly_wrong", "right", "wrong", "chatter", "raising", "wrong",
    "untouched", "right", "no_ids", "wrong", "deleted_test", "mostly_wrong", "right", "edited_tests",
    "raising", "wrong", "mostly_wrong",
)  # fmt: skip


def mix(count: int, dear: Sequence[str] = ()) -> list[str]:
    """Return so many kinds: an ordinary class, with these dear ones among them."""
    found = [_ROUND[number % len(_ROUND)] for number in range(count)]
    for place, kind in enumerate(dear):
        found[(place + 1) * count // (len(dear) + 1)] = kind
    return found


def hand_in(root: Path, kinds: Sequence[str]) -> None:
    """Write a submission of each kind, from what was released."""
    release = root / "release" / ASSIGNMENT
    released, right = read_book(release / f"{NOTEBOOK}.ipynb"), answers_of(source())
    for number, kind in enumerate(kinds):
        folder = root / "submitted" / f"s{number:03}" / ASSIGNMENT
        folder.mkdir(parents=True)
        mine = {**right, "gap": f"{RIGHT_ESSAY} ({number})"}
        if kind != "untouched":
            # No two hand-ins are the same text: nothing may be gained by remembering one.
            mine["skew"] = f"# hand-in {number}\n{mine['skew']}"
        start = released if kind == "untouched" else fill(released, mine)
        content = KINDS[kind](json.loads(json.dumps(start)), number)
        write_book(folder / f"{NOTEBOOK}.ipynb", content)
        shutil.copy(release / DATA, folder)
        stamp = f"2026-11-20 10:{number // 60 % 60:02}:{number % 60:02}.000000 UTC"
        (folder / "timestamp.txt").write_text(stamp)


def corpus(kinds: Sequence[str]) -> Corpus:
    """Return the course with a submission of each of these kinds."""
    return Corpus("bio", (ASSIGNMENT,), make, lambda root: hand_in(root, kinds))
