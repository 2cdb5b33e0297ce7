"""Provisions in the language of the reader."""

import re

import pytest

from shared.datamap.loader import load
from shared.rendering.provisions import provision_text

LAW = "databeskyttelsesforordningens"


@pytest.mark.parametrize(
    ("cited", "danish"),
    [
        ("GDPR article 20", f"{LAW} artikel 20"),
        ("GDPR article 12(4)", f"{LAW} artikel 12, stk. 4"),
        ("GDPR article 17(3)(b)", f"{LAW} artikel 17, stk. 3, litra b"),
        ("GDPR article 4(7)", f"{LAW} artikel 4, nr. 7"),
        ("GDPR art. 15(4)", f"{LAW} artikel 15, stk. 4"),
        ("GDPR articles 13 and 14", f"{LAW} artikel 13 og artikel 14"),
        ("GDPR articles 13, 14 and 15", f"{LAW} artikel 13, artikel 14 og artikel 15"),
        ("GDPR articles 5(2) and 12(3)", f"{LAW} artikel 5, stk. 2, og artikel 12, stk. 3"),
        (
            "GDPR articles 5(2), 15(1)(c) and 19",
            f"{LAW} artikel 5, stk. 2, artikel 15, stk. 1, litra c, og artikel 19",
        ),
        ("Article 17(3)(e)", "artikel 17, stk. 3, litra e"),
        (
            "GDPR article 17(3)(b); Danish Bookkeeping Act",
            f"{LAW} artikel 17, stk. 3, litra b; bogføringsloven",
        ),
        ("Danish Data Protection Act § 22", "databeskyttelseslovens § 22"),
        ("Danish Marketing Practices Act § 10", "markedsføringslovens § 10"),
    ],
)
def test_a_known_form_is_given_in_danish(cited, danish):
    """Article, paragraph and letter; several articles are joined by `og`."""
    assert provision_text(cited, "da") == danish


@pytest.mark.parametrize(
    "cited",
    [
        "",
        "17(3)(e)",
        "Bookkeeping Act",
        "clause 5.3",
        "particle 3",
        "GDPR article",
        "databeskyttelseslovens § 22",
    ],
)
def test_what_is_in_no_known_form_stays_as_it_is(cited):
    """Nothing is guessed."""
    assert provision_text(cited, "da") == cited


@pytest.mark.parametrize("language", ["en", "xx"])
def test_other_languages_keep_the_english_form(language):
    """It is how the map and the decisions cite."""
    assert provision_text("GDPR article 17(3)(b)", language) == "GDPR article 17(3)(b)"


def test_every_provision_of_the_map_has_a_danish_form():
    """No English word is left of what the data map cites."""
    cited = {
        field.keep.provision
        for activity in load().activities
        for store in activity.stores
        for field in getattr(store, "fields", ())
        if field.keep is not None
    }
    assert cited
    for provision in cited:
        assert not re.search(r"GDPR|articles?|\band\b|Act", provision_text(provision, "da")), provision
