"""The server part answers in the language that the panel names with its request."""

import asyncio

import pytest
from bioskills_lab.words import _, language, speak


@pytest.fixture(autouse=True)
def english_again():
    yield
    speak("en")


@pytest.mark.parametrize(
    ("named", "spoken"),
    [
        ("de", "de"),
        ("de-AT,en;q=0.5", "de"),
        ("de_DE", "en"),
        ("en", "en"),
        ("fr", "en"),
        ("", "en"),
        ("../de", "en"),
    ],
)
def test_a_language_that_is_there_is_spoken(named: str, spoken: str) -> None:
    speak(named)

    assert language() == spoken


def test_a_sentence_is_looked_up_and_an_unknown_one_stays() -> None:
    speak("de")

    assert _("Start the assignment") == "Aufgabe beginnen"
    assert _("Nobody wrote this.") == "Nobody wrote this."


async def test_two_requests_at_once_keep_their_languages() -> None:
    async def request(named: str) -> str:
        speak(named)
        await asyncio.sleep(0)
        return _("Start the assignment")

    said = await asyncio.gather(request("de"), request("en"))

    assert said == ["Aufgabe beginnen", "Start the assignment"]
