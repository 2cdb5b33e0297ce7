"""What an erasure leaves: invoices until their last day, and our own records."""

from datetime import date
from typing import Any

import pytest

from devtools.sample_data import Role, by_role, documents, people
from shared.datamap.models import DataMap, KeepUntil, OnErasure
from shared.datamap.treatment import Verdict, erase_record
from shared.domain.cases import SubjectRequest
from shared.domain.controls import Controls


def sample_order() -> dict[str, Any]:
    everyone = people(20)
    person = by_role(everyone, Role.EVERYTHING)
    body = next(
        record.body
        for record in documents(everyone)
        if record.container == "orders" and person.key in record.owners
    )
    return {**body, "invoice_on": "2026-03-10"}


@pytest.mark.clause("3.1")
@pytest.mark.parametrize("today", [date(2026, 11, 1), date(2031, 12, 31)])
def test_invoice_of_march_2026_stays_until_the_end_of_2031_and_contacts_go(
    datamap: DataMap, today: date
) -> None:
    order = sample_order()

    treated = erase_record(order, datamap.store("orders")[1].fields, today=today)

    assert treated.verdict is Verdict.REWRITE
    assert {kept.until for kept in treated.kept} == {date(2031, 12, 31)}
    assert treated.record == {
        "id": order["id"],
        "customer_id": order["customer_id"],
        "order_no": order["order_no"],
        "invoice_no": order["invoice_no"],
        "invoice_on": "2026-03-10",
        "amount": order["amount"],
        "currency": order["currency"],
        "addressee": {
            name: order["addressee"][name] for name in ("name", "street", "postcode", "city", "country")
        },
    }


@pytest.mark.clause("3.1")
def test_invoice_of_march_2026_goes_whole_in_2032(datamap: DataMap) -> None:
    treated = erase_record(sample_order(), datamap.store("orders")[1].fields, today=date(2032, 1, 1))

    assert treated.verdict is Verdict.ERASE


@pytest.mark.clause("7.2")
def test_every_field_of_a_request_is_mapped_and_stays(datamap: DataMap) -> None:
    _, store = datamap.store("own_requests")
    mapped = {field.path: field.on_erasure for field in store.fields}

    assert {f"/{name}" for name in SubjectRequest.model_fields} <= set(mapped)
    assert set(mapped.values()) <= {OnErasure.KEEP, OnErasure.FOLLOW}


def test_every_control_is_mapped_and_stays(datamap: DataMap) -> None:
    _, store = datamap.store("controls")
    mapped = {field.path: field.on_erasure for field in store.fields}

    assert {f"/{name}" for name in Controls.model_fields} <= set(mapped)
    assert set(mapped.values()) <= {OnErasure.KEEP, OnErasure.FOLLOW}


def test_only_bookkeeping_ends_on_a_day_and_everything_else_kept_is_ours(datamap: DataMap) -> None:
    dated, undated = set(), set()
    for one, store in datamap.stores():
        for field in store.fields:
            if field.keep is not None:
                (dated if isinstance(field.keep.until, KeepUntil) else undated).add(one.id)

    assert (dated, undated) == ({"orders"}, {"own_records"})
