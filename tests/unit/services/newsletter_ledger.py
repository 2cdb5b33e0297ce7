"""What the ledger of consents says of an address."""

from tests.unit.services.newsletter_world import key


async def kinds(made, email):
    """Return the kinds of what the ledger says of an address, in order."""
    found = await made.consent_ledger.of_person((key(email),))
    return [one.kind for one in sorted(found, key=lambda one: one.at)]
