"""How the client of the campus behaves on good and bad days."""

import io
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from bioskills_lab import campus as module
from bioskills_lab.campus import Campus, campus_of_environment
from bioskills_lab.problems import Refused

from .conftest import Answer, LittleCampus


@pytest_asyncio.fixture
async def client(campus: LittleCampus) -> AsyncIterator[Campus]:
    client = Campus(campus.address, "secret")
    yield client
    await client.close()


async def test_the_token_goes_with_every_call(client: Campus, campus: LittleCampus) -> None:
    await client.overview()
    assert campus.seen[0].headers["Authorization"] == "Bearer secret"


async def test_a_refusal_of_the_campus_is_passed_on(client: Campus, campus: LittleCampus) -> None:
    body = {"error": "late", "message": "It closed at noon.", "next": "Ask for an extension."}
    campus.gives_json("GET", "api/v1/lab/feedback/7", body, status=409)
    with pytest.raises(Refused) as refused:
        await client.feedback(7)
    assert (refused.value.status, refused.value.as_json()) == (409, body)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (Answer(500, b"oops"), "did not answer"),
        (Answer(200, b"<html>"), "no JSON object"),
        (Answer(200, b"[]"), "no JSON object"),
        (Answer(302, b"", {"Location": "http://elsewhere.example/"}), "status 302"),
    ],
    ids=["error", "html", "list", "redirect"],
)
async def test_a_strange_answer_ends_in_a_sentence(
    client: Campus, campus: LittleCampus, answer: Answer, sentence: str
) -> None:
    campus.gives("GET", "api/v1/lab/overview", answer)
    with pytest.raises(Refused, match=sentence):
        await client.overview()


async def test_a_campus_that_is_down_ends_in_a_sentence() -> None:
    client = Campus("http://127.0.0.1:9/services/campus/", "secret")
    with pytest.raises(Refused, match="Your work is saved here, nothing is lost"):
        await client.overview()
    await client.close()


async def test_a_slow_campus_is_not_waited_for(
    client: Campus, campus: LittleCampus, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(dict):  # type: ignore[type-arg]
        def get(self, *_: object) -> Answer:
            time.sleep(0.6)
            return Answer()

    campus.answers = Slow()
    monkeypatch.setattr(module, "ANSWER_S", 0.1)
    with pytest.raises(Refused) as refused:
        await client.overview()
    assert refused.value.status == 504


async def test_a_tree_above_the_cap_is_not_taken(client: Campus) -> None:
    with pytest.raises(Refused, match="more than"):
        await client.release("spring", "p1", io.BytesIO(), cap=100)


async def test_a_hand_in_states_its_length_and_version(
    client: Campus, campus: LittleCampus
) -> None:
    path = "exchange/v1/runs/spring/assignments/p1/submissions"
    campus.gives_json("POST", path, {"receipt": "7KQ2-91"}, status=201)

    receipt = await client.hand_in("spring", "p1", io.BytesIO(b"x" * 200_000), 3)

    assert receipt == {"receipt": "7KQ2-91"}
    assert campus.seen[0].body == b"x" * 200_000
    assert campus.seen[0].headers["Content-Length"] == "200000"
    assert campus.seen[0].headers["X-Bioskills-Version"] == "3"


@pytest.mark.parametrize(("address", "token"), [("", "t"), ("ftp://x/", "t"), ("http://x/", "")])
def test_without_a_hub_the_sentence_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, address: str, token: str
) -> None:
    monkeypatch.setenv("BIOSKILLS_CAMPUS_API", address)
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", token)
    with pytest.raises(Refused) as refused:
        campus_of_environment()
    assert "BIOSKILLS_CAMPUS_API" in refused.value.next_step
