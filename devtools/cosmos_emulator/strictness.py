"""What the service refuses although the query could be answered."""

from .container import Container
from .errors import NOT_SERVABLE, bad_request
from .indexing_policy import Order
from .prepared import Prepared


def refuse_across_partitions(prepared: Prepared) -> None:
    """Refuse what one reply cannot give over several partitions; SDKs answer this by asking for a query plan.

    Raises:
        ServiceError: 400/1004 for ORDER BY, TOP, OFFSET, DISTINCT, aggregates and GROUP BY.
    """
    query = prepared.query
    if query.order_by or query.top or query.offset or query.distinct or prepared.pipeline.is_grouped:
        raise bad_request(
            "The provided cross partition query can not be directly served by the gateway. ORDER BY, TOP, "
            "OFFSET, DISTINCT, aggregates and GROUP BY need a query plan.",
            sub_status=NOT_SERVABLE,
        )


def refuse_unindexed_order(prepared: Prepared, container: Container) -> None:
    """Refuse an order that the container's indexes cannot serve.

    Raises:
        ServiceError: 400.
    """
    sorts = prepared.query.order_by
    if not sorts:
        return
    order: list[tuple[tuple[str, ...], bool]] = []
    for sort in sorts:
        path = prepared.access.path(sort.expression)
        if path is None and len(sorts) == 1 and _is_computed(prepared, container):
            return
        if not path or "[]" in path:
            raise bad_request(
                "Unsupported ORDER BY clause. ORDER BY item expression could not be mapped to a document "
                "path."
            )
        order.append((path, sort.descending))
    if len(order) > 1:
        _check_composite(container, tuple(order))
    elif not container.policy.covers(order[0][0]):
        raise bad_request(
            "The order-by item requires a range index to be defined on the corresponding index path."
        )


def _is_computed(prepared: Prepared, container: Container) -> bool:
    name = getattr(prepared.query.order_by[0].expression, "name", None)
    return name in container.computed


def _check_composite(container: Container, order: Order) -> None:
    if not container.policy.serves_order(order):
        raise bad_request(
            "The order by query does not have a corresponding composite index that it can be served from."
        )
