"""Answer the self-checks of the lessons at once, in words.

Nothing is graded, stored or sent. Every choice has its own reply, because a
wrong choice is a good reason that leads to the wrong place.

Licence: BSD-3-Clause (see the file LICENSE of the course).
"""

CHOICES = {
    "1.1": {
        "a": "Not yet. The browser only shows the page. Close the tab, and the variable is still there.",
        "b": "Not yet. The notebook file keeps your text, your code and saved outputs. It never keeps variables.",
        "c": "Right. The kernel is a program that runs on your server, and variables are in its memory.",
        "d": "Not yet. The hub lets you in and starts your server. It does not run your cells.",
    },
    "1.2": {
        "a": "Not yet. The code did call write. Look at what happened between write and the disk.",
        "b": "Right. Python collects small pieces in memory and hands them over when the file is closed or the pile is "
        "large. The kill came first.",
        "c": "Not yet. Nothing was deleted: the file is there, but it is empty.",
    },
    "1.3": {
        "a": "Right. The kernel goes on and keeps its variables. Results that were printed while no page was open may be "
        "missing on the page, so write important results to a file.",
        "b": "Not yet. The kernel runs on the server. It does not notice that you left.",
        "c": "Not yet. Saving does not happen on its own when a tab is closed, and it does not concern variables.",
    },
    "1.5": {
        "a": "Not yet. One arrow starts the file afresh each time. After three runs there is one line.",
        "b": "Right. Two arrows add a line at the end. After three runs there are three lines.",
        "c": "Not yet. That is a pipe. It hands text to another program, not to a file.",
    },
    "2.1": {
        "a": "Not yet. Run the cell again and read what it prints: there is no error message.",
        "b": "Not yet. The parser found nothing that it could read, not 94 records.",
        "c": "Right. You get an empty list and no complaint. So check the number of records after every reading.",
    },
    "2.2": {
        "a": "Not yet. 32.34 divides by all 736 letters. It treats 265 unknown letters as if they were A or T.",
        "b": "Right. 50.53 divides by the 471 known bases. Say so beside the number, and say how many letters are N.",
        "c": "Not yet. A mean of a wrong number and a right number is a wrong number.",
    },
    "2.4": {
        "a": "Right. Each N then counts as 'not G, not C'. The dip shows missing knowledge, not biology.",
        "b": "Not yet. The letters of the record are the same as before. Only the number you divide by changed.",
        "c": "Not yet. Compare with a record without N, such as Z78533.1: there the box changes nothing.",
    },
    "2.7": {
        "a": "Not yet. Valine is what GTG means in the middle of a gene.",
        "b": "Not yet. GTG is no stop codon in any genetic code that is used here.",
        "c": "Right. A start codon is read by the start tRNA, which carries methionine (in bacteria a modified one). Inside a gene, GTG is valine.",
    },
}

# Question: (right value, tolerance, reply to it, {typical wrong value: reply to it}).
NUMBERS = {
    "1.4": (39, 0, "Right: 39 sequence lines hold CGCG.", {
        0: "Not yet. Nothing was counted. Check the path and the quotes.",
        94: "Not yet. 94 is the number of header lines. Turn the choice round with -v.",
    }),
    "1.6": (14, 0, "Right: 14 records are longer than 750 letters.", {
        0: "Not yet. The count stayed at its start value. Is there a line that makes it larger, inside the if?",
        1: "Not yet. The function stops too early. The line with return must not be indented below the for.",
        16: "Not yet. You also counted records of exactly 750 letters. Longer than is written >.",
        94: "Not yet. Every record was counted. Ask with if before you count.",
    }),
    "2.3": (42.12, 0.006, "Right. Bring all letters to one case before you count.", {
        0.0: "Not yet. The file is in lower case, and 'g' is not 'G' for a computer.",
        57.88: "Not yet. That is the part of A and T.",
        42.1: "Almost. Give two decimals.",
        42.0: "Almost. Give two decimals.",
        0.42: "Almost. That is a share; percent is 100 times as much.",
    }),
    "2.5": (265, 0, "Right: 475 - 211 + 1 = 265. In Python it is 475 - 210.", {
        264: "Not yet. Both ends belong to the block. Try with the block 1..2, which has two bases.",
        266: "Not yet. One too many. Which of the two numbers is a Python number?",
    }),
    "2.6": (1, 0, "Right: 6664 is the first base of a triplet when counting starts at base 1.", {
        0: "Not yet. The remainder is 0, but frames are named 1, 2 and 3.",
        2: "Not yet. Use the position counted from 0, which is 6663.",
        3: "Not yet. A gene that starts at base 1 is in frame 1. Which remainder has that gene?",
    }),
}


def check(question: str, answer: object) -> None:
    """Print a reply to the answer of a self-check."""
    if answer is None or answer is ...:
        print(f"Self-check {question}: not answered yet. Replace None by your answer and run the cell again.")
    elif question in CHOICES:
        print(_choice(question, str(answer)))
    else:
        print(_number(question, answer))


_EVENTS = ("kernel restarted", "tab closed", "server stopped")
_ENDED_BY = {
    "a variable": {"kernel restarted", "server stopped"},
    "a file I closed": set(),
    "text I saved": set(),
    "a loop in a terminal": {"server stopped"},
}


def check_table(table: dict[str, tuple[bool | None, ...]]) -> None:
    """Print where a prediction about things and events should be thought over."""
    filled = right = 0
    for thing, row in table.items():
        for event, guess in zip(_EVENTS, row, strict=True):
            filled += guess is not None
            right += guess is (event not in _ENDED_BY[thing])
            if guess is (event in _ENDED_BY[thing]):
                print(f"Think again: {thing} / {event}. Who holds it, and does the event end that process?")
    print(f"{filled} of 12 boxes filled, {right} right.")


def _choice(question: str, answer: str) -> str:
    replies = CHOICES[question]
    letter = answer.strip().lower()
    return replies.get(letter, f"Please answer with one letter in quotes: {', '.join(replies)}.")


def _number(question: str, answer: object) -> str:
    right, tolerance, reply, typical = NUMBERS[question]
    try:
        value = float(str(answer))
    except ValueError:
        return "Please answer with one number, without quotes. Decimals stand after a point, not after a comma."
    if abs(value - right) <= tolerance:
        return reply
    for wrong, wrong_reply in typical.items():
        if abs(value - wrong) <= max(tolerance, 1e-9):
            return wrong_reply
    return "Not yet. Read the step above once more, try a small case on paper, and come back."
