"""Read both sides as they are now."""

from __future__ import annotations

from typing import Any

from azure.cosmos.aio import CosmosClient

from devtools.demo.newsletter.evidence import Evidence, by_pseudonym, of_account, of_journal
from devtools.demo.newsletter.vendor import Vendor


async def read_evidence(cosmos: CosmosClient, database: str, vendor: Vendor) -> Evidence:
    """Return everything that both sides hold; nothing of the app is used or asked."""
    states, suppressed = of_account(await vendor.truth())
    controls = await rows_of(cosmos, database, "controls")
    return Evidence(
        states=states,
        suppressed=suppressed,
        told=of_journal(await vendor.journal()),
        ledger=by_pseudonym(await rows_of(cosmos, database, "consent_ledger")),
        changes=by_pseudonym(await rows_of(cosmos, database, "newsletter_changes")),
        controls={row["subject_key"]: row for row in controls},
    )


async def rows_of(cosmos: CosmosClient, database: str, container: str) -> list[dict[str, Any]]:
    """Return every document of a container."""
    client = cosmos.get_database_client(database).get_container_client(container)
    return [row async for row in client.read_all_items()]
