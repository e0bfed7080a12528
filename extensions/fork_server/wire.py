"""Requests, payloads and replies of the fork server.

Law: one JSON object per line over a unix stream socket. The *request* says who
and what and holds no secret: warm parents keep every byte they ever read where
their children can find it. Environment, words and folder come in the *payload*,
a second line that only the forked child reads, after it has given up its
rights; the caller sends it once it has been told the child's pid. Parsing
raises nothing but `BadRequestError`. Failures are codes that the caller words.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_REQUEST_BYTES = 4 * 1024
MOST_PAYLOAD_BYTES = 64 * 1024
MOST_WORDS = 512

ENDED_BEFORE_READY = "ended_before_ready"
HOME_FOREIGN = "home_foreign"
NOT_ALLOWED = "not_allowed"
NO_ROOM = "no_room"
BAD_REQUEST = "bad_request"
TOO_MANY_PROCESSES = "too_many_processes"
BUSY = "busy"
FAILED = "failed"


class BadRequestError(ValueError):
    """A line breaks a rule; the text names the rule, never the value."""


@dataclass(frozen=True)
class Request:
    """Who asks for what.

    Attributes:
        op: What is asked for.
        uid: Whose room or process; None where the caller's own is meant.
        mode: *fork* (from the warm parent) or *exec* (a new interpreter, same walls).
        limits: What the room may use, by name; whole numbers.
        name: Account name shown inside the room; checked again where it is used.
    """

    op: str
    uid: int | None = None
    mode: str = "fork"
    limits: Mapping[str, int] = field(default_factory=dict)
    name: str = ""


@dataclass(frozen=True)
class Payload:
    """What a child starts with.

    Attributes:
        args: Words of a command line, without the program.
        env: The whole environment.
        cwd: Working folder; empty for the home.
    """

    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = ""


def parse_request(line: bytes) -> Request:
    """Return the request that a line (without its newline) holds.

    Raises:
        BadRequestError: Whatever is wrong with it.
    """
    found = _object(line, _REQUEST)
    if "op" not in found:
        raise BadRequestError("op is missing")
    return Request(**found)


def parse_payload(line: bytes) -> Payload:
    """Return the payload that a line (without its newline) holds.

    Raises:
        BadRequestError: Whatever is wrong with it.
    """
    return Payload(**_object(line, _PAYLOAD))


def line_of(message: Mapping[str, Any]) -> bytes:
    """Return a message as one line."""
    return json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"


def _object(line: bytes, fields: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadRequestError("not JSON") from error
    if not isinstance(found, dict) or found.keys() - fields.keys():
        raise BadRequestError("not an object of known fields")
    return {key: fields[key](value) for key, value in found.items()}


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise BadRequestError("a text is expected")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadRequestError("a text is expected") from error
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 62:
        raise BadRequestError("a whole number is expected")
    return value


def _uid(value: Any) -> int:
    if not 0 < _number(value) < 1 << 31:
        raise BadRequestError("a uid is expected")
    return int(value)


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MOST_WORDS:
        raise BadRequestError("a list of words is expected")
    return tuple(_text(word) for word in value)


def _variables(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > MOST_WORDS:
        raise BadRequestError("an object of variables is expected")
    if any(not name or "=" in name for name in value):
        raise BadRequestError("a variable has no proper name")
    return {_text(name): _text(text) for name, text in value.items()}


def _limits(value: Any) -> dict[str, int]:
    if not isinstance(value, dict) or len(value) > MOST_WORDS:
        raise BadRequestError("an object of limits is expected")
    return {_text(name): _number(number) for name, number in value.items()}


def _mode(value: Any) -> str:
    if value not in ("fork", "exec"):
        raise BadRequestError("mode is fork or exec")
    return str(value)


_REQUEST: dict[str, Callable[[Any], Any]] = {
    "op": _text,
    "uid": _uid,
    "mode": _mode,
    "limits": _limits,
    "name": _text,
}
_PAYLOAD: dict[str, Callable[[Any], Any]] = {"args": _words, "env": _variables, "cwd": _text}
