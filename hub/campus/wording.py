"""Say states, times and numbers in the words of the house.

Law: one idea has one word, one icon and one class, the same on every page
(`look.md`, status vocabulary). Times and numbers are written as the reader's
language writes them, in the zone the reader chose, else in the one handed in.
No file, no database, no clock; the moment that counts as now is handed in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from math import inf
from typing import Literal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, format_timedelta, get_timezone_name
from babel.numbers import format_decimal
from jinja2 import Environment
from markupsafe import Markup

from bioskills.base.languages import locale_of
from bioskills.base.text import _, reader
from bioskills.base.wire import OutcomeStatus, WorkState

_NEAR_DAYS = 14
_NO_BREAK = "\u00a0"
_MINUTES = 90  # below this, minutes are said
_HOURS = 48  # below this, hours are said
_DAYS_OF_HOURS = 24
_LONGEST_ZONE = 5


@dataclass(frozen=True)
class Sign:
    """How a state is shown: class for the fill, icon, words, and words for a narrow place."""

    css: str
    icon: str
    words: str
    short: str


def status_sign(status: OutcomeStatus) -> Sign:
    """Return how a competence status is shown."""
    signs: dict[OutcomeStatus, Sign] = {
        "not_assessed": Sign("s-none", "st-none", _("Not assessed yet"), _("Not yet")),
        "developing": Sign("s-dev", "st-dev", _("Developing"), _("Developing")),
        "pending": Sign("s-wait", "st-wait", _("Waiting for assessor"), _("With assessor")),
        "achieved": Sign("s-done", "st-done", _("Achieved"), _("Achieved")),
        "exceeded": Sign("s-top", "st-top", _("Exceeded"), _("Exceeded")),
        "granted_rpl": Sign("s-rpl", "st-rpl", _("Prior learning"), _("Prior learning")),
        "under_review": Sign("s-review", "st-review", _("Under review"), _("Under review")),
        "expired": Sign("s-past", "st-past", _("Expired"), _("Expired")),
        "withdrawn": Sign("s-bad", "st-bad", _("Withdrawn"), _("Withdrawn")),
    }
    return signs[status]


def work_sign(state: WorkState) -> Sign:
    """Return how the state of somebody's work on an assignment is shown."""
    signs: dict[WorkState, tuple[str, str, str]] = {
        "not_open": ("s-none", "st-none", _("Not open yet")),
        "new": ("s-none", "st-none", _("Not handed in")),
        "handed_in": ("s-wait", "st-wait", _("Handed in")),
        "grading": ("s-wait", "st-wait", _("Being graded")),
        "preliminary": ("s-wait", "st-wait", _("Preliminary")),
        "published": ("s-done", "st-done", _("Returned")),
        "needs_person": ("s-wait", "st-wait", _("Waiting for a person")),
        "closed": ("s-past", "st-past", _("Closed, not handed in")),
        "excused": ("s-rpl", "st-rpl", _("Excused")),
    }
    css, icon, words = signs[state]
    return Sign(css, icon, words, words)


def role_word(role: str) -> str:
    """Return a role as people say it; lists and files keep the word of the code."""
    words = {
        "learner": _("learner"), "instructor": _("instructor"), "assessor": _("assessor"),
        "certifier": _("certifier"), "manager": _("manager"), "funder": _("funder"),
        "admin": _("admin"),
    }  # fmt: skip
    return words.get(role, role)


def code(outcome: str) -> str:
    """Return an outcome's or unit's code without its framework: ``U04 S1``."""
    return " ".join(outcome.split("-")[1:]) or outcome


def percent(share: str | Fraction | None, needed: Fraction | None = None) -> str:
    """Return a share as whole percent: ``84 %``.

    Args:
        share: 0 to 1; None gives an empty string.
        needed: A limit that rounding must not seem to reach.
    """
    if share is None:
        return ""
    exact = Fraction(share)
    hundred = Decimal(exact.numerator * 100) / Decimal(exact.denominator)
    whole = hundred.quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
    if needed is not None and exact < needed and Fraction(whole) >= needed * 100:
        whole = hundred.quantize(Decimal(1), rounding=ROUND_FLOOR)
    return f"{_digits(whole)}{_NO_BREAK}%"


def plain_number(points: str | Fraction | float) -> str:
    """Return points for programs, without needless zeros: ``7.5``, ``1100``."""
    value = Fraction(str(points)) if isinstance(points, float) else Fraction(points)
    rounded = (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("0.01"))
    return format(rounded, "f").rstrip("0").rstrip(".") if rounded else "0"


def number(points: str | Fraction | float) -> str:
    """Return points for people: ``7.5``, ``1,100``; in German ``7,5``, ``1.100``."""
    return _digits(Decimal(plain_number(points)))


def tenths(measured: float) -> str:
    """Return a measured value with one place behind the point: ``1.4``, in German ``1,4``."""
    return format_decimal(measured, "#,##0.0", locale=locale_of(reader().language))


def listed(words: Iterable[str]) -> str:
    """Return words as people list them: ``S1, S2 and K1``."""
    *head, last = list(words) or [""]
    return _("{first} and {last}").format(first=", ".join(head), last=last) if head else last


def shown_zone(zone: str) -> str:
    """Return the zone in which times of this zone are shown: the reader's own, if they chose one."""
    return reader().zone or zone


def moment(at: datetime, zone: str, now: datetime, *, relative: bool = False) -> str:
    """Return a time as people of this zone say it: ``Fri 19 March, 18:00 CET``.

    The weekday is said within two weeks, the year where it is not this one.
    """
    here, locale = ZoneInfo(shown_zone(zone)), locale_of(reader().language)
    there = at.astimezone(here)
    text = _("{day}, {time} {zone}").format(
        day=_day_of(there, now.astimezone(here)),
        # Translators: a time of day in CLDR's letters.
        time=format_time(there.time(), _("HH:mm"), locale=locale),
        zone=_zone_name(there),
    )
    return f"{text} ({distance(at, now)})" if relative else text


def begins(opens: datetime, zone: str, now: datetime) -> str:
    """Say on which day a course begins: by its name within a week, by its date later."""
    there, here = (when.astimezone(ZoneInfo(zone)) for when in (opens, now))
    days = (there.date() - here.date()).days
    if days < 1:
        return _("Your course begins today.")
    named = days < len(_long_weekdays())
    shown = _long_weekdays()[there.weekday()] if named else day(opens, zone)
    return _("Your course begins on {day}.").format(day=shown)


def day(at: datetime, zone: str) -> str:
    """Return a date as tables write it: ``11 Mar 2027``."""
    there = at.astimezone(ZoneInfo(shown_zone(zone)))
    # Translators: a short date for tables in CLDR's letters.
    return format_date(there.date(), _("d MMM y"), locale=locale_of(reader().language))


def distance(at: datetime, now: datetime) -> str:
    """Return how far away a time is: ``in 28 hours``, ``3 days ago``."""
    minutes = round(abs(at - now).total_seconds() / 60)
    unit, size = _unit(minutes)
    amount = timedelta(**{f"{unit}s": round(minutes / size)})
    locale = locale_of(reader().language)
    # Not Babel's threshold, which rounds 28 hours to a day.
    return format_timedelta(
        amount if at >= now else -amount, unit, inf, add_direction=True, locale=locale
    )


def time_tag(at: datetime, zone: str, now: datetime, *, relative: bool = False) -> Markup:
    """Return a `<time>` element: UTC for machines, the zone's time for people."""
    return _tag(at, moment(at, zone, now, relative=relative))


def day_tag(at: datetime, zone: str) -> Markup:
    """Return a `<time>` element that shows the date alone."""
    return _tag(at, day(at, zone))


def local_date(at: datetime | None, zone: str) -> str:
    """Return a date as date fields hold it, empty for none: ``2027-03-19``."""
    return at.astimezone(ZoneInfo(zone)).date().isoformat() if at else ""


def local_time(at: datetime | None, zone: str) -> str:
    """Return a time as time fields hold it, empty for none: ``18:00``."""
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M}" if at else ""


def utc(at: datetime) -> str:
    """Return a time for machines: ``2027-03-19T17:00:00Z``."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def add_words(environment: Environment) -> None:
    """Give the templates these words."""
    environment.globals.update(
        time_tag=time_tag,
        day_tag=day_tag,
        local_date=local_date,
        local_time=local_time,
        shown_zone=shown_zone,
    )
    environment.filters.update(
        role=role_word, code=code, percent=percent, number=number, listed=listed
    )


def _tag(at: datetime, words: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(utc(at), words)


def _digits(value: Decimal) -> str:
    return format_decimal(value, "#,##0.##", locale=locale_of(reader().language))


def _zone_name(there: datetime) -> str:
    """Return a zone's short name: ``CET``, in German ``MEZ``; where there is none, as clocks say it."""
    name: str = get_timezone_name(there, "short", locale=locale_of(reader().language))
    plain = name.isalpha() and len(name) <= _LONGEST_ZONE
    return name if plain else there.tzname() or name


def _day_of(there: datetime, here: datetime) -> str:
    # Dates, not times: two times of one zone are compared by their clocks, summer time ignored.
    near = abs((there.date() - here.date()).days) <= _NEAR_DAYS
    pattern = _day_pattern(near=near, this_year=there.year == here.year)
    return format_date(there.date(), pattern, locale=locale_of(reader().language))


def _day_pattern(*, near: bool, this_year: bool) -> str:
    """Return how a day is written, in CLDR's letters (unicode.org/reports/tr35/tr35-dates.html)."""
    if near:
        # Translators: days of the coming two weeks in CLDR's letters, with the weekday.
        return _("EEE d MMMM") if this_year else _("EEE d MMMM y")
    # Translators: days far away in CLDR's letters.
    return _("d MMMM") if this_year else _("d MMMM y")


def _unit(minutes: int) -> tuple[Literal["minute", "hour", "day"], int]:
    """Return in which unit a distance is said, and how many minutes that has."""
    if minutes < _MINUTES:
        return "minute", 1
    return ("hour", 60) if round(minutes / 60) < _HOURS else ("day", 60 * _DAYS_OF_HOURS)


def _long_weekdays() -> tuple[str, ...]:
    return (
        *(_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday")),
        *(_("Friday"), _("Saturday"), _("Sunday")),
    )
