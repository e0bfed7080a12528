"""Read dates and zones of a cohort file.

Law: a date without a time begins its day where something begins, and counts to the end of
its day where something ends: that is what people mean by it.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bioskills.base.problems import Problem
from bioskills.base.text import _
from bioskills.hub.cohort_rows import Row
from bioskills.hub.cohort_wish import bad
from bioskills.hub.years import is_meant, rule


def zone_of(row: Row, name: str, problems: list[Problem]) -> ZoneInfo:
    """Return the zone of this name; an unknown one is added to the problems."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        step = _("Use an IANA name such as Europe/Berlin.")
        problems.append(bad(row.where, "time_zone", name, step, row.line))
        return ZoneInfo("UTC")


def moment_of(
    row: Row, key: str, zone: ZoneInfo, problems: list[Problem], *, ends: bool
) -> datetime | None:
    """Return the moment in UTC, or None where it cannot be read."""
    text = row.values.get(key, "")
    try:
        moment = datetime.fromisoformat(text)
        if not is_meant(moment):
            problems.append(bad(row.where, key, text, rule(), row.line))
            return None
        if ends and _is_day(text):
            moment += timedelta(days=1, seconds=-1)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        step = _("A date looks like 2027-03-22T09:00.")
        problems.append(bad(row.where, key, text, step, row.line))
        return None


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
