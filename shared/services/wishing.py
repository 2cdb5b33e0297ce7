"""Check what a person asks for against the map: facts, activities, purposes, and where a copy goes."""

import re

from shared.domain.errors import Invalid
from shared.domain.identifiers import EMAIL, parse_email
from shared.domain.wishes import Wishes
from shared.services.context import Context

_PHONE = "phone"  # a fact of the map
_FEWEST_DIGITS = 5


def checked_wishes(context: Context, wishes: Wishes) -> Wishes:
    """Return the wishes as they came, or refuse them. Nothing about anybody is looked up.

    Raises:
        Invalid: `fact_unknown`, `correction_empty`, `email_invalid`, `field_invalid` for a phone number that
            is none, `activity_unknown` or `transfer_url_…`, each naming its field; the person can correct it.
    """
    unknown = sorted(set(wishes.corrections) - set(context.datamap.policy.facts))
    if unknown:
        known = ", ".join(context.datamap.policy.facts)
        raise Invalid("fact_unknown", f"choose from: {known}", field="corrections")
    if not all(value.strip() for value in wishes.corrections.values()):
        raise Invalid("correction_empty", "a correction gives the right value", field="corrections")
    if EMAIL in wishes.corrections:
        parse_email(wishes.corrections[EMAIL])
    if _PHONE in wishes.corrections and not _is_phone(wishes.corrections[_PHONE]):
        raise Invalid(
            "field_invalid", "a phone has digits, spaces and +, -, ( or ) only", field="corrections"
        )
    names = [one.id for one in context.datamap.activities]
    names += [purpose.id for activity in context.datamap.activities for purpose in activity.purposes]
    if set(wishes.objects_to) - set(names):
        raise Invalid("activity_unknown", f"choose from: {', '.join(names)}", field="objects_to")
    if wishes.transfer_url is not None:
        context.transfers.parse(wishes.transfer_url)
    return wishes


def _is_phone(value: str) -> bool:
    digits = re.sub("[^0-9]", "", value)
    return re.fullmatch("[0-9 +()-]+", value.strip()) is not None and len(digits) >= _FEWEST_DIGITS
