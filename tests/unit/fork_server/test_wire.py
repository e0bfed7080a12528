"""What comes over a socket is data: every line is a request or a refusal, never an accident."""

import json
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bioskills.fork_server import wire

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from(["op", "uid", "mode", "limits", "name", "args", "env", "cwd", "other"])


def outcome(parse: Callable[[bytes], object], line: bytes) -> object:
    """Return what a line is, or the rule that it breaks; anything else is an accident."""
    try:
        return parse(line)
    except wire.BadRequestError as error:
        return str(error)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_request_or_are_refused(line: bytes) -> None:
    assert outcome(wire.parse_request, line)


# The first draw of nested JSON takes a second on a busy machine; that is no fault of the parser.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(FIELDS, JSON, max_size=5))
def test_any_object_is_a_request_or_is_refused(found: dict[str, object]) -> None:
    line = json.dumps(found).encode()
    assert outcome(wire.parse_request, line)
    assert outcome(wire.parse_payload, line)


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=5
    ),
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0="), min_size=1),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        max_size=5,
    ),
)
def test_a_payload_arrives_as_it_was_sent(args: list[str], env: dict[str, str]) -> None:
    line = wire.line_of({"args": args, "env": env, "cwd": "/home"})
    assert line.count(b"\n") == 1
    found = wire.parse_payload(line.rstrip(b"\n"))
    assert (list(found.args), dict(found.env), found.cwd) == (args, env, "/home")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b'{"uid": 5}',
        b'{"op": "start", "uid": 0}',
        b'{"op": "start", "uid": -1}',
        b'{"op": "start", "uid": true}',
        b'{"op": "start", "uid": "70001"}',
        b'{"op": "start", "uid": 4294967296}',
        b'{"op": "start", "mode": "root"}',
        b'{"op": "start", "env": {}}',
        b'{"op": "open", "limits": {"memory_mb": -1}}',
        b'{"op": "open", "limits": {"memory_mb": 1.5}}',
        b'{"op": "a\\u0000b"}',
        b'{"op": "start", "path": "/etc/shadow"}',
        b"[" * 4000,
    ],
)
def test_a_request_that_breaks_a_rule_is_refused(line: bytes) -> None:
    with pytest.raises(wire.BadRequestError):
        wire.parse_request(line)


@pytest.mark.parametrize(
    "line",
    [
        b'{"env": {"A=B": "x"}}',
        b'{"env": {"": "x"}}',
        b'{"env": {"A": "x\\u0000y"}}',
        b'{"env": {"A": 1}}',
        b'{"args": "ls"}',
        b'{"args": ["\\ud800"]}',
        b'{"cwd": null}',
        b'{"op": "start"}',
    ],
)
def test_a_payload_that_breaks_a_rule_is_refused(line: bytes) -> None:
    with pytest.raises(wire.BadRequestError):
        wire.parse_payload(line)
