"""A customer's name stands in letters to its people: it is a name, and nothing else fits into it."""

import pytest

from shared.domain.customer_names import MAX_NAME_CHARACTERS, parse_customer_name
from shared.domain.errors import Invalid


@pytest.mark.parametrize(
    "name",
    [
        "",
        "A",
        "3 Byg",
        "Ærø & Søn A/S",
        "A.P. Example, Copenhagen",
        "O'Example-Smith Ltd.",
        "Пример ООД",
        "a" * (MAX_NAME_CHARACTERS - 1),
        "a" * MAX_NAME_CHARACTERS,
    ],
)
def test_plain_names_stay_as_they_are(name):
    """Blanks around one do not count."""
    assert parse_customer_name(f"  {name} ") == name


def test_one_letter_in_two_code_points_is_one_letter():
    """Unicode composes it."""
    assert parse_customer_name("A\u030alborg Byg") == "\u00c5lborg Byg"


@pytest.mark.parametrize(
    "name",
    [
        "a" * (MAX_NAME_CHARACTERS + 1),
        "two\nlines",
        "two\rlines",
        "a\ttab",
        "trailing line\n",
        "para\u2029graph",
        "no\u00a0break",
        "zero\u200bwidth",
        "turned\u202eround",
        "fill\u3164er",
        "<b>Byg</b>",
        "{{ 7 * 7 }}",
        "&lt;b&gt;",
        "[Byg](x)",
        "*Byg*",
        "Byg: pay now",
        "https://evil.example",
        "http:evil",
        "//evil",
        "evil.example",
        "Go to evil.example/pay",
        "WWW.evil",
        "10.0.0.1",
        "me@evil",
        "Byg?",
        "Byg!",
        "a\\b",
        'a"b',
        "%0a",
        "=Byg",
        "-Byg",
        "/Byg",
        ".",
        "evil\uff0eexample",
        "evil.\uff45\uff58\uff41mple",
    ],
)
def test_whatever_is_more_than_a_name_is_refused(name):
    """No second line, no markup, nothing a mail program would make a link of."""
    with pytest.raises(Invalid) as caught:
        parse_customer_name(name)
    assert (caught.value.code, caught.value.field) == ("customer_name_unfit", "customer_name")
