"""Read the fields of a request.

Law: every verb names its fields; anything missing, of a wrong type or with an
odd name is refused with a sentence, all faults at once.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from bioskills_lab.problems import bad_request
from bioskills_lab.words import _

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
# Folders of the course itself; an assignment of that name would mix with them.
RESERVED = ("lessons", "data", "img")


def is_name(value: object) -> bool:
    """Say whether the value may be a folder and a part of an address."""
    return isinstance(value, str) and NAME.fullmatch(value) is not None


@dataclass(frozen=True)
class Asked:
    """The checked fields of one request."""

    run: str
    item: str
    attempt: int = 0
    anyway: bool = False


def read_asked(body: bytes, item: str) -> Asked:
    """Read `run`, the named item and the optional fields of a request.

    Args:
        body: JSON as sent by the browser.
        item: Field that names the thing: `assignment` or `lesson`.

    Raises:
        Refused: With every fault of the body in one message.
    """
    fields = _object(body)
    faults = [_name_fault(key, fields.get(key)) for key in ("run", item)]
    attempt, anyway = fields.get("attempt", 0), fields.get("anyway", False)
    if not isinstance(attempt, int) or isinstance(attempt, bool) or attempt < 0:
        faults.append(_("“attempt” must be a whole number, 0 or more."))
    if not isinstance(anyway, bool):
        faults.append(_("“anyway” must be true or false."))
    if item == "assignment" and fields.get(item) in RESERVED:
        faults.append(_("“{name}” is a folder of the course.").format(name=fields[item]))
    _refuse([fault for fault in faults if fault])
    return Asked(run=fields["run"], item=fields[item], attempt=attempt, anyway=anyway)


def read_id(text: str) -> int:
    """Read the number of a submission.

    Raises:
        Refused: Not a whole number above 0.
    """
    if not re.fullmatch(r"[1-9][0-9]{0,17}", text):
        _refuse([_("“id” must be a whole number above 0.")])
    return int(text)


def _object(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise bad_request(_("The request is not JSON.")) from None
    if not isinstance(fields, dict):
        raise bad_request(_("The request must be a JSON object."))
    return fields


def _name_fault(key: str, value: object) -> str:
    if is_name(value):
        return ""
    return _("“{key}” must be a name of small letters, digits and hyphens.").format(key=key)


def _refuse(faults: list[str]) -> None:
    if faults:
        raise bad_request(" ".join(faults))
