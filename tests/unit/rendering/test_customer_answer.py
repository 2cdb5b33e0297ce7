"""The answer to a customer: what is processed at its installation and how much, and no record of anybody."""

import json
from datetime import UTC, datetime

import pytest

from shared.datamap.loader import load
from shared.domain.errors import Permanent
from shared.rendering.customer_answer import CustomerFacts, customer_entries
from tests.factories import contacts

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def facts(**changes) -> CustomerFacts:
    return CustomerFacts(
        **{
            "request_id": "a" * 32,
            "language": "en",
            "received_at": AT,
            "prepared_at": AT,
            "customer": "Example <b>Works</b>",
            "contacts": contacts(),
            "records": {"usage_events": 20, "installations": 2, "licences": 0},
            **changes,
        }
    )


def entries(**changes) -> dict[str, str]:
    return {name: content.decode() for name, content in customer_entries(load(), facts(**changes))}


@pytest.mark.clause("4.2.1")
@pytest.mark.parametrize("language", ["en", "da"])
def test_it_says_how_much_is_processed_and_nothing_of_a_copy(language):
    """In words for a customer: it is not about the reader."""
    found = entries(language=language)
    assert set(found) == {"index.html", "about.json", "manifest.json"}
    about = {one["id"]: one for one in json.loads(found["about.json"])["activities"]}
    assert about["usage"]["records"] == 22
    assert about["content_cloud"]["records"] == 0
    page = found["index.html"]
    assert "20" in page
    wrong = ("Your personal data", "Answer to your access request", "Dine personoplysninger")
    assert [words for words in wrong if words in page] == []


def test_the_customer_s_name_is_text():
    """Whatever stands in it."""
    page = entries()["index.html"]
    assert "Example &lt;b&gt;Works&lt;/b&gt;" in page
    assert "<script" not in page


def test_the_manifest_names_every_other_file_with_its_checksum():
    """Two of them."""
    listed = json.loads(entries()["manifest.json"])["entries"]
    assert [one["name"] for one in listed] == ["index.html", "about.json"]
    assert all(len(one["sha256"]) == 64 for one in listed)


def test_it_is_refused_while_a_contact_is_missing():
    """As every answer."""
    with pytest.raises(Permanent, match="contacts_incomplete"):
        entries(contacts=contacts(controller_email=""))
