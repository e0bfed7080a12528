"""A sign-in leads to a page of ours, whatever the address tries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioskills.hub.campus.signin import LONGEST_NEXT, safe_next

HOME = "/services/campus/"

OURS = [
    "/services/campus/",
    "/services/campus/passport",
    "/services/campus/cohorts/spring-27?sort=name&page=2",
    # What follows the question mark never decides where the browser goes.
    "/services/campus/passport?back=//evil.example",
    "/services/campus/courses/caf%C3%A9",
]

NOT_OURS = [
    "",
    "passport",
    "/",
    "/hub/logout",
    "/services/campus",
    "/services/campus-evil/",
    "/services/other/",
    "/user/max/lab",
    "//evil.example/services/campus/",
    "///evil.example/services/campus/",
    "/\\evil.example/services/campus/",
    "\\\\evil.example",
    "https://evil.example/services/campus/",
    "https:/services/campus/",
    "HTTPS://evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "http:evil.example",
    " /services/campus/",
    "/services/campus/ x",
    "/services/campus/\n//evil.example",
    "/services/campus/\r\nSet-Cookie: a=b",
    "/services/campus/\t",
    "/services/campus/\x00",
    "/services/campus/../../hub/logout",
    "/services/campus/./x",
    "/services/campus/..",
    "/services/campus/%2e%2e/%2e%2e/hub/logout",
    "/services/campus/%2E%2E%2F%2E%2E%2Fhub/logout",
    "/services/campus/%252e%252e%252fhub",
    "/services/campus/%25252525252e",
    "/services/campus/%2f%2fevil.example",
    "/services/campus//evil.example",
    "/services/campus/%5cevil.example",
    "/services/campus/%0d%0aSet-Cookie:a",
    "/%2fevil.example/services/campus/",
    "/services%2fcampus/",
    "/services/campus/\u202eevil",
    "/services/campus/\uff3cevil",
    # Coming back to sign-in itself would turn in circles, or sign out again.
    "/services/campus/sign-in",
    "/services/campus/oauth_callback?code=1",
    "/services/campus/sign-out",
    "/services/campus/" + "a" * LONGEST_NEXT,
]


@pytest.mark.parametrize("wanted", OURS)
def test_a_page_of_ours_is_kept(wanted: str) -> None:
    assert safe_next(wanted) == wanted


@pytest.mark.parametrize("wanted", NOT_OURS)
def test_anything_else_leads_to_the_first_page(wanted: str) -> None:
    assert safe_next(wanted) == HOME


def test_a_fragment_is_dropped() -> None:
    assert safe_next("/services/campus/passport#U04") == "/services/campus/passport"


@given(st.text(alphabet="/\\.%25efEF:@?#services/campus\t\r\n ", max_size=60))
def test_no_text_leaves_our_pages(tail: str) -> None:
    for wanted in (tail, HOME + tail):
        found = safe_next(wanted)
        assert found.startswith(HOME)
        assert "//" not in found.partition("?")[0]
        assert found.isprintable()
