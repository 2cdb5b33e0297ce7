"""From an e-mail address every store can be reached, whichever address a person starts from."""

import pytest

from shared.datamap.models import DataMap
from shared.datamap.reach import reachable
from tests.unit.datamap.conftest import Spoilt


def test_every_identifier_is_reached_from_an_email_address(datamap: DataMap) -> None:
    assert reachable(datamap) == {identifier.id for identifier in datamap.policy.identifiers}


def test_shared_identifier_is_found_and_not_followed(datamap: DataMap) -> None:
    _, installations = datamap.store("installations")
    follows = installations.model_copy(
        update={
            "matches": (installations.matches[0].model_copy(update={"identifier": "installation_id"}),),  # type: ignore[union-attr]
        }
    )
    usage = datamap.activities[0]
    stores = tuple(follows if store.id == "installations" else store for store in usage.stores)
    changed = datamap.model_copy(
        update={"activities": (usage.model_copy(update={"stores": stores}), *datamap.activities[1:])}
    )

    assert "installation_id" not in reachable(changed)


@pytest.mark.parametrize("cut", ["authors.yaml", "members.yaml"])
def test_author_and_member_can_each_be_reached_through_the_other(spoilt: Spoilt, cut: str) -> None:
    """Somebody may have registered under one address and joined under another."""
    spoilt.replace(cut, "      - {identifier: email, path: /email}\n", "")

    from shared.datamap.loader import load

    assert reachable(load(spoilt.directory)) >= {"author_id", "member_id", "user_id"}


def test_without_either_the_user_id_is_out_of_reach(spoilt: Spoilt) -> None:
    for name in ("authors.yaml", "members.yaml"):
        spoilt.replace(name, "      - {identifier: email, path: /email}\n", "")

    problems = spoilt.problems()

    out_of_reach = {problem.rsplit(" ", 1)[-1] for problem in problems}
    assert {"user_id", "author_id", "member_id", "installation_id"} <= out_of_reach
