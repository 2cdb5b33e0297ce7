"""Request units: the published points and what queries cost with and without an index."""

import pytest

from devtools.cosmos_emulator import charges


async def _charge(container):
    return float(container.client_connection.last_response_headers["x-ms-request-charge"])


@pytest.mark.parametrize(
    ("charge", "published"),
    [
        (charges.read(1024), 1.0),
        (charges.read(100 * 1024), 10.0),
        (charges.insert(1024, 0), 5.5),
        (charges.insert(100 * 1024, 0), 50.5),
        (charges.replace(1024, 3), 2 * charges.insert(1024, 3)),
        (charges.delete(1024, 3), charges.insert(1024, 3)),
        (charges.query_page(loaded=0, returned_bytes=0), 2.3),
        (charges.refused_write(10), 1.2),
    ],
)
def test_the_model_hits_the_published_points(charge, published):
    assert charge == pytest.approx(published)


async def test_point_operations_report_their_charge(container):
    await container.create_item({"id": "1", "pk": "a", "x": [1, 2]})
    assert await _charge(container) == pytest.approx(5.5 + 0.05 * 4)
    await container.read_item("1", "a")
    assert await _charge(container) == 1
    await container.upsert_item({"id": "1", "pk": "a", "x": [1, 2]})
    assert await _charge(container) == pytest.approx(2 * 5.7)
    await container.delete_item("1", "a")
    assert await _charge(container) == pytest.approx(5.7)


async def _query(container, query):
    rows = [row async for row in container.query_items(query, partition_key="a")]
    return len(rows), await _charge(container)


async def test_a_filter_without_an_index_pays_for_every_item_of_the_scope(make_container):
    policy = {"includedPaths": [{"path": "/*"}], "excludedPaths": [{"path": "/hidden/?"}]}
    container = await make_container("partly", indexing_policy=policy)
    for number in range(200):
        await container.create_item({"id": str(number), "pk": "a", "seen": number, "hidden": number})
    indexed, excluded = (
        await _query(container, "SELECT VALUE c.seen FROM c WHERE c.seen = 5"),
        await _query(container, "SELECT VALUE c.seen FROM c WHERE c.hidden = 5"),
    )
    assert indexed[0] == excluded[0] == 1
    assert indexed[1] == pytest.approx(2.3 + 0.03, abs=0.02)
    assert excluded[1] == pytest.approx(2.3 + 0.03 * 200, abs=0.02)
    both = await _query(container, "SELECT VALUE c.seen FROM c WHERE c.hidden < 100 AND c.seen >= 190")
    assert both == (0, pytest.approx(2.3 + 0.03 * 10, abs=0.02))


async def test_an_aggregate_answered_by_the_index_pays_next_to_nothing(container):
    for number in range(100):
        await container.create_item({"id": str(number), "pk": "a", "n": number})
    _, charge = await _query(container, "SELECT VALUE COUNT(1) FROM c WHERE c.n < 50")
    assert charge == pytest.approx(2.3 + 0.001 * 50, abs=0.01)


async def test_the_charge_does_not_depend_on_the_size_of_the_container(monkeypatch, make_container):
    container = await make_container()
    charged = []
    for size in (20, 900):
        for number in range(size):
            await container.upsert_item({"id": f"x{number}", "pk": f"q{number % 50}", "mail": f"m{number}"})
        rows = container.query_items("SELECT * FROM c WHERE c.mail = 'm7'")
        assert len([row async for row in rows]) == 1
        charged.append(await _charge(container))
    assert charged[0] == charged[1]
