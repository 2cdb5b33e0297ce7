"""Values that find a person: how they are read, compared and turned into pseudonyms."""

import unicodedata
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Invalid
from shared.domain.identifiers import (
    EMAIL,
    MAX_EMAIL_CHARACTERS,
    Pseudonymiser,
    merged,
    normalise,
    parse_email,
)

KEY = b"k" * 32


@pytest.mark.parametrize(
    "address",
    [
        "ane@people.example",
        "Ane.Møller+news@sub.people.example",
        "o'brien_1@people.example",
        "åse@blåbær.example",
        "a@b.co",
        f"{'l' * 64}@people.example",
        "a=b?c?=@people.example",
        "\u0e17\u0e33@people.example",  # a vowel that folds into two
    ],
)
def test_a_plain_address_is_taken_as_typed(address):
    """Case and letters of other alphabets stay."""
    assert parse_email(address) == address


def test_an_address_is_trimmed_and_composed():
    """Typed with spaces around and a combining ring, it is the same address."""
    assert parse_email("  a\u030ase@people.example\n") == "\u00e5se@people.example"


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        ["ane@people.example"],
        "",
        "   ",
        "ane",
        "ane@",
        "@people.example",
        "ane@people",
        "ane@people.e",
        "ane@@people.example",
        "ane@people..example",
        "ane@.example",
        "ane@people.example.",
        "ane @people.example",
        "ane@people.example,bo@people.example",
        "ane@people.example;bo@people.example",
        "Ane <ane@people.example>",
        '"ane"@people.example',
        "ane@[127.0.0.1]",
        "ane(x)@people.example",
        f"{'l' * 65}@people.example",
        f"ane@{'d' * MAX_EMAIL_CHARACTERS}.example",
    ],
)
def test_what_is_not_one_plain_address_is_refused(text):
    """Lists, display names, quoted parts and half addresses are for the person to correct."""
    with pytest.raises(Invalid) as caught:
        parse_email(text)
    assert (caught.value.code, caught.value.field) == ("email_invalid", "email")


@pytest.mark.parametrize(
    "text",
    [
        "ane@people.example\r\nBcc: bo@people.example",
        "ane\x00@people.example",
        "ane\u202e@people.example",
        "ane\u200b@people.example",
        "ane\ud800@people.example",
        "ane\x1b[31m@people.example",
        "ane@people.example\u2028x",
    ],
)
def test_hidden_characters_and_header_lines_are_refused(text):
    """Nothing that a mail header or a screen would read differently gets through."""
    with pytest.raises(Invalid):
        parse_email(text)


@pytest.mark.parametrize(
    "text",
    [
        "=?utf-8?q?bo=40other=2eexample=2c?=@people.example",
        "=?utf-8?q?a=0d=0aBcc=3ax?=@people.example",
        "ane=?utf-8?q?=00?=@people.example",
        "ane@=?utf-8?q?other?=.example",
        "=?x@people.example",
    ],
)
def test_an_encoded_word_is_refused(text):
    """A mail program would decode it into another recipient or another header."""
    with pytest.raises(Invalid) as caught:
        parse_email(text)
    assert caught.value.code == "email_invalid"


@pytest.mark.parametrize("look_alike", ["\uff20", "\uff0c", "\uff1b", "\uff1c", "\ufe55", "\uff1d\uff1f"])
def test_look_alikes_of_separators_are_refused(look_alike):
    """Full-width signs become the plain ones where a mail program folds them."""
    with pytest.raises(Invalid):
        parse_email(f"ane{look_alike}bo@people.example")


@given(st.from_regex(r"[!-~]{1,30}@[a-z=?_.-]{1,12}\.[a-z]{2,4}", fullmatch=True))
def test_a_header_with_an_accepted_address_names_that_address_only(text):
    """Whatever was typed, a mail to it has one recipient and no other header."""
    try:
        address = parse_email(text)
    except Invalid:
        return
    mail = EmailMessage(policy=SMTP)
    mail["To"] = address
    assert bytes(mail).decode().replace("\r\n ", "").strip() == f"To: {address}"


def test_the_refusal_does_not_repeat_what_was_typed():
    """What a person sent stays out of logs."""
    with pytest.raises(Invalid) as caught:
        parse_email("secret person at home")
    assert "secret" not in str(caught.value)


@given(st.one_of(st.text(), st.binary(), st.integers(), st.from_regex(r"[^@]{0,9}@[^@]{0,9}\.[^@]{0,9}")))
def test_anything_typed_is_either_an_address_or_refused(text):
    """No input raises anything else, and what is accepted is accepted again unchanged."""
    try:
        address = parse_email(text)
    except Invalid:
        return
    assert parse_email(address) == address
    assert not any(character.isspace() for character in address)


def test_an_address_a_million_characters_long_is_refused():
    """Length is looked at before the pattern."""
    with pytest.raises(Invalid):
        parse_email("a@" + "b." * 500_000 + "dk")


@given(st.text(), st.sampled_from([EMAIL, "user_id"]))
def test_a_normalised_value_stays_as_it_is(value, kind):
    """Normalising is done once, however often it is asked for."""
    assert normalise(kind, normalise(kind, value)) == normalise(kind, value)


def test_only_addresses_are_compared_without_case():
    """Other identifiers are compared as they are, spaces and composition too."""
    assert normalise(EMAIL, " Ane@People.Example ") == "ane@people.example"
    for value in (" User-A ", "a\u030a", "\u00e5"):
        assert normalise("user_id", value) == value


def test_a_user_id_with_a_space_is_another_user_id():
    """Its records are searched for too, for the stores tell the two apart."""
    known = {"user_id": ("u1",)}
    assert merged(known, [("user_id", "u1 "), ("user_id", "u1")]) == {"user_id": ("u1", "u1 ")}
    keys = Pseudonymiser(KEY)
    assert keys.subject_key("user_id", "u1 ") != keys.subject_key("user_id", "u1")


def test_merged_values_come_once_in_the_order_found():
    """An address in capitals is no second address; an empty value is none."""
    known = {"email": ("ane@people.example",)}
    found = [
        ("email", "ANE@people.example"),
        ("user_id", "u-2"),
        ("user_id", "u-1"),
        ("user_id", "u-2"),
        ("user_id", ""),
    ]
    assert merged(known, found) == {"email": ("ane@people.example",), "user_id": ("u-2", "u-1")}
    assert known == {"email": ("ane@people.example",)}


@given(st.lists(st.tuples(st.sampled_from(["email", "user_id"]), st.text())))
def test_merging_the_same_values_again_changes_nothing(found):
    """Following a locator twice widens nobody."""
    once = merged({}, found)
    assert merged(once, found) == once


def test_a_pseudonym_is_the_same_for_every_way_to_write_an_address():
    """Case, spaces and composition make no difference, the kind does."""
    keys = Pseudonymiser(KEY)
    written = {
        "åse@people.example",
        " ÅSE@people.example",
        unicodedata.normalize("NFD", "Åse@People.example"),
    }
    (key,) = {keys.subject_key(EMAIL, value) for value in written}
    assert key.startswith("k1-")
    assert len(key) == len("k1-") + 64
    assert keys.subject_key("user_id", "åse@people.example") != key


def test_a_pseudonym_needs_the_key():
    """Another key gives another pseudonym, and the version tells which key it was."""
    one, other = Pseudonymiser(KEY), Pseudonymiser(b"o" * 32, version=2)
    assert one.subject_key(EMAIL, "a@b.dk") != other.subject_key(EMAIL, "a@b.dk").replace("k2-", "k1-")
    assert other.subject_key(EMAIL, "a@b.dk").startswith("k2-")


def test_a_short_key_is_refused():
    """31 bytes are too few, 32 are enough."""
    with pytest.raises(Invalid):
        Pseudonymiser(b"k" * 31)
    assert Pseudonymiser(b"k" * 32)


def test_a_signature_is_for_one_purpose():
    """The same text signed for something else is another signature, and no pseudonym either."""
    keys = Pseudonymiser(KEY)
    signed = {keys.sign("verify", "a", "b"), keys.sign("cancel", "a", "b"), keys.sign("verify", "a", "c")}
    assert len(signed) == 3
    assert keys.sign("verify", "a", "b") == keys.sign("verify", "a", "b")
