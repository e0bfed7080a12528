"""What a warm parent does once for all labs changes no answer that a lab gives."""

import subprocess
import sys
from typing import Any

import pytest
from jsonschema import Draft7Validator, SchemaError

from bioskills.fork_server.rehearsal import GoodSchemas

GOOD = {"type": "object", "properties": {"a": {"type": "string"}}}
BAD = {"type": "nothing of the kind"}


def in_a_new_process(text: str) -> str:
    """Run this; a rehearsal replaces names in libraries, which must not reach other tests."""
    done = subprocess.run([sys.executable, "-I", "-c", text], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_step_works_with_the_installed_jupyter_and_leaves_a_process_that_may_fork() -> None:
    said = in_a_new_process(
        "from bioskills.fork_server import rehearsal, warm\n"
        "print(rehearsal.rehearse(), rehearsal.rehearse()); warm.refuse_threads()"
    )

    assert said == "[] []"


def test_a_library_that_is_gone_fails_the_steps_that_need_it_and_no_other() -> None:
    said = in_a_new_process(
        "import sys; sys.modules['json5'] = None\n"
        "from bioskills.fork_server import rehearsal; print(rehearsal.rehearse())"
    )

    assert said == "['translations', 'settings']"


def test_kernels_are_found_as_without_a_rehearsal() -> None:
    said = in_a_new_process(
        "from importlib.metadata import entry_points as fresh\n"
        "from bioskills.fork_server import rehearsal; rehearsal.rehearse()\n"
        "from jupyter_client.provisioning import factory; kept = factory.entry_points\n"
        "group = factory.KernelProvisionerFactory.GROUP_NAME\n"
        "print(kept(group=group) == fresh(group=group), len(kept(group=group)) >= 2,"
        " kept(group=group, name='gone') == fresh(group=group, name='gone'))"
    )

    assert said == "True True True"


EVENTS = (
    "from pathlib import Path; from jupyter_events.logger import EventLogger\n"
    "import jupyter_server; logger = EventLogger()\n"
    "for path in sorted(Path(jupyter_server.DEFAULT_EVENTS_SCHEMA_PATH).rglob('*.yaml')):\n"
    "    logger.register_event_schema(path)\n"
    "logger.register_event_schema({'$id': 'https://a.b/c', 'version': '1', 'title': 't',"
    " 'type': 'object', 'properties': {}})\n"
    "print([repr(logger.schemas.get(name)) for name in sorted(logger.schemas.schema_ids)])"
)


def test_events_have_the_same_schemas_as_without_a_rehearsal_and_another_s_own() -> None:
    rehearsed = "from bioskills.fork_server import rehearsal; assert rehearsal.rehearse() == []\n"

    assert in_a_new_process(rehearsed + EVENTS) == in_a_new_process(EVENTS)


class Counting:
    """The real validator, counted."""

    def __init__(self) -> None:
        self.checked = 0

    def __call__(self, schema: Any) -> Draft7Validator:
        return Draft7Validator(schema)

    def check_schema(self, schema: Any) -> None:
        self.checked += 1
        Draft7Validator.check_schema(schema)


def test_a_good_schema_is_checked_once() -> None:
    real = Counting()
    schemas = GoodSchemas(real)
    for _time in range(3):
        schemas.check_schema(dict(GOOD))

    assert real.checked == 1


def test_another_schema_of_a_learner_is_checked() -> None:
    real = Counting()
    schemas = GoodSchemas(real)
    schemas.check_schema(GOOD)
    schemas.check_schema({**GOOD, "title": "changed"})

    assert real.checked == 2


def test_a_bad_schema_is_refused_each_time() -> None:
    schemas = GoodSchemas(Draft7Validator)
    for _time in range(2):
        with pytest.raises(SchemaError):
            schemas.check_schema(BAD)


def test_settings_are_validated_as_without_a_rehearsal() -> None:
    validator = GoodSchemas(Draft7Validator)(GOOD)

    assert [error.message for error in validator.iter_errors({"a": 1})] == [
        "1 is not of type 'string'"
    ]
