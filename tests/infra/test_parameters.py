"""The parameters of both environments fit the template and hold no secret."""

import re

import pytest

from tests.infra.bicep import INFRA, read

MAIN = read(INFRA / "main.bicep")
FILES = sorted(INFRA.glob("*.bicepparam"))
LINE = re.compile(r"param (\w+) = (.+)")
RANDOM = re.compile(r"[A-Za-z0-9+/_-]{32,}={0,2}")
NO_ID = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(params=FILES, ids=lambda one: one.name)
def given(request) -> dict[str, str]:
    """What one file sets, as text."""
    found = {}
    for line in request.param.read_text("utf-8").splitlines():
        if line.startswith("param "):
            name, value = LINE.fullmatch(line).groups()
            found[name] = value
    return found


def test_there_is_a_file_for_development_and_one_for_production():
    """Both for the same template."""
    assert [one.name for one in FILES] == ["main.dev.bicepparam", "main.prod.bicepparam"]
    assert all("using './main.bicep'" in one.read_text("utf-8") for one in FILES)


def test_a_file_sets_what_is_required_and_nothing_unknown(given):
    """As a compiler would say."""
    assert {one.name for one in MAIN.params.values() if not one.has_default} <= set(given)
    assert set(given) <= set(MAIN.params)


def test_a_value_is_of_its_parameter_s_type_and_allowed(given):
    """Literals only; what comes from the environment is text, or said to be a boolean."""
    for name, text in given.items():
        param = MAIN.params[name]
        if text.startswith("readEnvironmentVariable("):
            assert param.kind == "string", name
            continue
        kind = {"'": "string", "[": "array", "{": "object"}.get(text[0])
        kind = kind or ("bool" if text in ("true", "false") or text.startswith("bool(") else "int")
        assert kind == param.kind, name
        if allowed := param.decorators.get("allowed"):
            assert text.strip("'") in [str(one) for one in allowed[0]], name


def test_no_value_looks_like_a_secret(given):
    """Secrets are put into the vault by hand; ids of nobody may stand here."""
    for name, text in given.items():
        assert not RANDOM.search(re.sub(r"Variable\('\w+'", "", text.replace(NO_ID, ""))), name
        assert not re.search(r"AccountKey=|SharedAccessSignature|-----BEGIN|eyJ", text), name


def test_an_empty_variable_of_the_pipeline_stops_the_deployment():
    """It sets one that nobody filled in to an empty text; only the day of a check may be one."""
    for one in MAIN.params.values():
        if one.kind == "string" and not one.has_default and one.name != "contactsVerifiedOn":
            assert one.decorators["minLength"][0] > 0, one.name


def test_production_makes_no_store_of_the_products_and_guesses_no_contact():
    """What is not given stops the deployment."""
    (text,) = [one.read_text("utf-8") for one in FILES if "prod" in one.name]
    assert "param createSystemsOfRecord = false" in text
    assert "param usePrivateNetwork = true" in text
    for name in (
        "CONTROLLER_NAME",
        "CONTACTS_VERIFIED_ON",
        "GRAPH_MAILBOX",
        "STAFF_CLIENT_ID",
        "ALARM_EMAIL",
    ):
        assert f"readEnvironmentVariable('{name}')" in text
