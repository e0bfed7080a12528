"""Read dates and zones of a cohort file.

Law: a date without a time begins its day where something begins, and counts to the end of
its day where something ends: that is what people mean by it.
"""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bioskills.base.problems import Problem
from bioskills.base.text import _
from bioskills.hub.cohort_rows import Row
from bioskills.hub.cohort_wish import bad

DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def zone_of(row: Row, name: str, problems: list[Problem]) -> ZoneInfo:
    """Return the zone of this name; an unknown one is added to the problems."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        rule = _("Use an IANA name such as Europe/Berlin.")
        problems.append(bad(row.where, "time_zone", name, rule, row.line))
        return ZoneInfo("UTC")


def moment_of(
    row: Row, key: str, zone: ZoneInfo, problems: list[Problem], *, ends: bool
) -> datetime | None:
    """Return the moment in UTC, or None where it cannot be read."""
    text = row.values.get(key, "")
    try:
        moment = datetime.fromisoformat(text)
        if ends and DAY.fullmatch(text):
            moment += timedelta(days=1, seconds=-1)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        rule = _("A date looks like 2027-03-22T09:00.")
        problems.append(bad(row.where, key, text, rule, row.line))
        return None
