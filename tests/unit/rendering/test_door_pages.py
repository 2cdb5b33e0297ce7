from datetime import UTC, date, datetime
from html.parser import HTMLParser

import pytest

from shared.domain.rights import Right
from shared.rendering.outcomes import FiledFact, outcome_page
from shared.rendering.pages import (
    cancellation_page,
    error_page,
    package_page,
    page_headers,
    result_page,
    verification_page,
)

STORAGE = "https://storage.example.invalid"


class _Page(HTMLParser):
    def __init__(self, content):
        super().__init__()
        self.tags, self.pieces = [], []
        self.feed(content)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.pieces.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def policy(self):
        return next(
            one["content"] for one in self.all("meta") if one.get("http-equiv") == "Content-Security-Policy"
        )


def _pages(language="en", value="tok.en"):
    return {
        "verification": verification_page(
            language=language, action_url="/v", token=value, rights=(Right.ACCESS, Right.ERASURE)
        ),
        "cancellation": cancellation_page(language=language, action_url="/c", token=value),
        "package": package_page(
            language=language,
            download_url="/p",
            delete_url="/d",
            token=value,
            size_bytes=1_500_000,
            expires_at=datetime(2026, 12, 7, 9, 15, tzinfo=UTC),
            download_origin=STORAGE,
        ),
        "result": result_page(language=language, title=value, messages=[value]),
        "error": error_page(language=language, title=value, message=value, code="token_expired"),
    }


@pytest.mark.parametrize("language", ["en", "da"])
@pytest.mark.parametrize("name", _pages())
def test_page_is_whole_and_loads_and_runs_nothing(name, language):
    page = _Page(_pages(language)[name])
    assert page.all("html")[0]["lang"] == language
    assert len(page.all("h1")) == 1
    assert not {"script", "img", "iframe", "link", "object"} & {tag for tag, _ in page.tags}
    assert page.policy.startswith("default-src 'none'; style-src 'sha256-")


@pytest.mark.parametrize("name", ["verification", "cancellation"])
def test_page_acts_only_by_the_post_of_its_one_button(name):
    page = _Page(_pages()[name])
    (form,) = page.all("form")
    assert form["method"] == "post"
    assert len(page.all("button")) == 1
    assert not page.all("a")
    (hidden,) = page.all("input")
    assert (hidden["type"], hidden["name"], hidden["value"]) == ("hidden", "token", "tok.en")


def test_package_page_fetches_and_deletes_by_post():
    page = _Page(_pages()["package"])
    assert [(form["method"], form["action"]) for form in page.all("form")] == [("post", "/p"), ("post", "/d")]
    assert [one["value"] for one in page.all("input")] == ["tok.en", "tok.en"]
    text = " ".join("".join(page.pieces).split())
    assert "1.5 MB" in text
    assert "7 December 2026, 10:15" in text


def test_package_page_says_its_size_the_danish_way():
    text = "".join(_Page(_pages("da")["package"]).pieces)
    assert "1,5 MB" in text
    assert "7. december 2026 kl. 10.15" in text


def test_form_may_be_redirected_to_the_storage_and_nowhere_else():
    assert _Page(_pages()["package"]).policy.endswith(f"form-action 'self' {STORAGE}")
    assert _Page(_pages()["verification"]).policy.endswith("form-action 'self'")


def test_headers_repeat_the_policy_of_the_page_and_forbid_framing_and_caching():
    headers = page_headers(download_origin=STORAGE)
    assert (
        headers["Content-Security-Policy"] == f"{_Page(_pages()['package']).policy}; frame-ancestors 'none'"
    )
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert page_headers()["Content-Security-Policy"].startswith(_Page(_pages()["result"]).policy)


@pytest.mark.parametrize("value", ['"><script>alert(1)</script>', "' onload='x", "\u202eabc", "a\x00b"])
@pytest.mark.parametrize("name", _pages())
def test_hostile_value_stays_a_value(name, value):
    content = _pages(value=value)[name]
    page = _Page(content)
    assert "script" not in {tag for tag, _ in page.tags}
    assert not any(key.startswith("on") for _, attributes in page.tags for key in attributes)
    assert "\x00" not in content


def test_error_page_shows_its_code():
    assert "token_expired" in "".join(_Page(_pages()["error"]).pieces)


def _after(outcome, language="en", **changes):
    facts = {"request_id": "r" * 32, "due_on": date(2026, 12, 23), "rights": (Right.ACCESS,)}
    content = outcome_page(outcome, language=language, filed=FiledFact(**(facts | changes)))
    return " ".join("".join(_Page(content).pieces).split())


@pytest.mark.parametrize("outcome", ["received", "honoured", "verified", "joined", "question_answered"])
def test_the_page_after_a_button_names_the_number_and_the_last_day(outcome):
    """What a person has to note down before the first letter is there."""
    english, danish = _after(outcome), _after(outcome, "da")
    assert f"Request number: {'r' * 32}." in english
    assert "on 23 December 2026 at the latest." in english
    assert f"Anmodningens nummer: {'r' * 32}." in danish
    assert "senest 23. december 2026." in danish


@pytest.mark.parametrize("outcome", ["cancelled", "closed"])
def test_the_page_of_a_request_that_is_over_names_the_number_and_no_day(outcome):
    """Nothing is due any more."""
    assert f"Request number: {'r' * 32}." in _after(outcome)
    assert "December" not in _after(outcome)


@pytest.mark.parametrize(
    "changes",
    [
        {"rights": (Right.OBJECTION,)},
        {"rights": (), "in_words": True},
        {"rights": (Right.OBJECTION,), "in_words": True},
        {"waits_for_person": True},
    ],
)
def test_the_page_says_that_a_person_decides_where_one_does(changes):
    """And not that we begin now."""
    english, danish = _after("verified", **changes), _after("verified", "da", **changes)
    assert "A person decides about it, and we answer by 23 December 2026." in english
    assert "En medarbejder afgør det, og vi svarer senest 23. december 2026." in danish
    assert "We begin now" not in english
    assert "Vi går i gang nu" not in danish


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"rights": (Right.ACCESS, Right.OBJECTION)}, "an end to processing you object to"),
        ({"in_words": True}, "what you wrote to us"),
    ],
)
def test_the_page_names_the_part_that_a_person_decides(changes, part):
    """The rest begins."""
    english = _after("verified", **changes)
    assert "We begin now." in english
    assert f"A person decides about this: {part}. We answer by 23 December 2026." in english


def test_the_page_says_of_what_a_program_does_that_it_begins():
    """No person decides about an access."""
    assert "We begin now." in _after("verified")
    assert "person decides" not in _after("verified")
