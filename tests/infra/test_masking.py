"""The rule that records pass on their way into the workspace takes out what the host writes."""

import re

import pytest

from tests.infra.bicep import INFRA, read

VARIABLES = read(INFRA / "modules" / "monitoring.bicep").variables
REPLACE = re.compile(r'(\w+) = replace_regex\(\1, @"(.*?)", @?"(.*?)"\)')


def _masked(text: str, *names: str) -> str:
    for name in names:
        column, pattern, instead = REPLACE.fullmatch(VARIABLES[name].value.replace("\\\\", "\\")).groups()
        assert column in ("Url", "Message")
        text = re.sub(pattern, instead, text)
    return text


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://app.example/api/requests?email=ane%40people.example", "https://app.example/api/requests"),
        (
            "https://app.example/api/webhooks/campaign-monitor/s3cr3t?x=1",
            "https://app.example/api/webhooks/campaign-monitor/-",
        ),
        (
            f"https://app.example/api/downloads/{'a' * 32}/{'T' * 43}",
            f"https://app.example/api/downloads/{'a' * 32}/-",
        ),
        (
            f"https://app.example/api/requests/{'0' * 32}/status",
            f"https://app.example/api/requests/{'0' * 32}/status",
        ),
    ],
)
def test_an_url_keeps_its_place_and_loses_what_opens_a_door(url, expected):
    """A request's id stays: it opens nothing, and operators look for it."""
    assert _masked(url, "withoutQuery", "withoutSecret", "withoutToken") == expected


@pytest.mark.parametrize("address", ["ane@people.example", "ane.o_x+news%40people.example"])
def test_a_message_loses_addresses(address):
    """Should one be written after all."""
    assert _masked(f"mail to {address} refused", "withoutPeople") == "mail to - refused"


def test_a_message_keeps_what_alarms_read():
    """Its code and the id of its case."""
    text = f"alarm code=overdue request={'a' * 32} details=2026-04-01"
    assert _masked(text, "withoutPeople") == text


def test_every_flow_goes_through_its_masks():
    """In the rule that the workspace names as its own."""
    flows = read(INFRA / "modules" / "monitoring.bicep").resources["masking"].value["properties"]["dataFlows"]
    of = {flow["streams"][0].removeprefix("Microsoft-Table-"): flow["transformKql"] for flow in flows}
    for name in ("withoutQuery", "withoutSecret", "withoutToken"):
        assert f"${{{name}}}" in of["AppRequests"]
    assert "${withoutPeople}" in of["AppTraces"]
    assert (
        "maskingRuleId: masking.id" in read(INFRA / "modules" / "monitoring.bicep").modules["workspace"].text
    )
