"""The real map with made-up decisions of a controller, and learners and orders to decide about."""

from datetime import UTC, date, datetime

from shared.datamap.decisions import Decisions
from shared.datamap.loader import assemble, load
from shared.datamap.models import ActivityDecision, DataMap, OwnDataDecision, RuleVersion
from tests.factories import World
from tests.fakes.messaging import TestClock
from tests.unit.services.systems import EMAIL_OF, on, put

MADE_AT = datetime(2025, 1, 1, 9, tzinfo=UTC)
COUNTED_FROM = {
    "orders": "shipped_or_invoiced",
    "content_cloud": "last_learning",
    "authors": "last_visit",
}


def decision(activity: str, period: str, effective_from: str, **changes) -> ActivityDecision:
    """Return a complete decision about an activity, made up."""
    return ActivityDecision(
        **{
            "activity": activity,
            "trigger": COUNTED_FROM[activity],
            "period": period,
            "effective_from": date.fromisoformat(effective_from),
            "decided_by": "Head of a made-up company",
            "decided_at": MADE_AT,
            "reason": "a made-up reason",
            **changes,
        }
    )


def own_decision(own_data: str, period: str, effective_from: str, **changes) -> OwnDataDecision:
    """Return a complete decision about data of our own, made up."""
    return OwnDataDecision(
        **{
            "own_data": own_data,
            "period": period,
            "effective_from": date.fromisoformat(effective_from),
            "decided_by": "Head of a made-up company",
            "decided_at": MADE_AT,
            "reason": "a made-up reason",
            **changes,
        }
    )


def decided_map(*decisions: ActivityDecision | OwnDataDecision) -> DataMap:
    """Return the packaged map with these decisions."""
    packaged = load()
    made = Decisions(
        activities=tuple(one for one in decisions if isinstance(one, ActivityDecision)),
        own_data=tuple(one for one in decisions if isinstance(one, OwnDataDecision)),
    )
    return assemble(packaged.policy, packaged.activities, packaged.recipients, packaged.own_data, made)


def versioned(datamap: DataMap, rule_id: str, before: str, after: str, valid_from: str) -> DataMap:
    """Return the map with two versions of one of the policy's rules."""
    versions = {
        "period": after,
        "valid_from": date.fromisoformat(valid_from),
        "earlier": (RuleVersion(period=before),),
    }
    rules = tuple(
        rule.model_copy(update=versions) if rule.id == rule_id else rule
        for rule in datamap.policy.retention_rules
    )
    policy = datamap.policy.model_copy(update={"retention_rules": rules})
    return datamap.model_copy(update={"policy": policy})


def decided_world(day: str, *decisions: ActivityDecision | OwnDataDecision, **changes) -> World:
    """Return a World with these decisions, at nine in the morning of a day."""
    clock = TestClock(datetime.fromisoformat(f"{day}T08:00:00+00:00"))
    return World(datamap=decided_map(*decisions), clock=clock, **changes)


def order(world: World, name: str, shipped: str, *, number: int = 1, invoiced: str | None = None) -> None:
    """Store an order as the shop does."""
    put(
        world,
        "orders",
        {
            "id": f"order-{name}-{number}",
            "customer_id": "c-1",
            "order_no": f"{number}",
            "invoice_no": f"i-{number}",
            "invoice_on": invoiced or shipped,
            "amount": 100.0,
            "currency": "DKK",
            "addressee": {
                "name": f"Name of {name}",
                "email": EMAIL_OF.format(name),
                "phone": "+45 00 00 00 00",
                "street": "A street",
            },
            "carrier": "gls",
            "tracking_no": f"t-{name}-{number}",
            "shipped_at": on(shipped),
        },
    )


def learnt(world: World, name: str, at: str) -> None:
    """Store one action in the content cloud."""
    put(
        world,
        "cloud_activity",
        {
            "id": f"a-{name}-{at}",
            "customer_id": "c-1",
            "user_id": f"user-{name}",
            "course": "A course",
            "action": "read",
            "at": on(at),
        },
    )


def reported(world: World, month: str, *names: str) -> None:
    """Store a report for the customer with a row for each learner."""
    rows = [{"user_id": f"user-{name}", "display_name": f"Name of {name}", "minutes": 5} for name in names]
    body = {"id": f"report-{month}", "customer_id": "c-1", "report_month": month, "title": "R", "rows": rows}
    put(world, "customer_reports", body)


def visited(world: World, name: str, at: str) -> None:
    """Store one page an author opened in self-service."""
    body = {"id": f"v-{name}-{at}", "author_id": f"author-{name}", "page": "/p", "at": on(at)}
    put(world, "author_behaviour", body)


def author(world: World, name: str, registered: str) -> None:
    """Store an author's registration and a file of theirs."""
    put(
        world,
        "authors",
        {
            "id": f"author-{name}",
            "email": EMAIL_OF.format(name),
            "name": f"Name of {name}",
            "registered_at": on(registered),
        },
    )
    world.blobs.put("author-files", f"author-{name}/text.txt", b"words")
