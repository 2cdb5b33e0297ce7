"""What is measured, named once: code, alarm rules and the workbook use these names and no others.

A measurement is a number with a few labels from a closed list. No label holds anything of a person: a queue,
a rule, a state, a kind. How numbers leave the worker is for an adapter.
"""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["gauge", "counter"]
LABELS = frozenset({"queue", "state", "rule", "container", "code", "kind", "outcome", "function"})
LABEL_VALUE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
"""What a label may look like: an address, a path or a sentence does not."""

_ADDRESS = re.compile(r"[\w.+%'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)*")
_QUERY = re.compile(r"\?[^\s\"'<>]+")
_WEBHOOK = re.compile(r"(/webhooks/[\w-]+/)[^\s\"'<>?/]+")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{40,}(?:\.[A-Za-z0-9_-]+)*")


@dataclass(frozen=True)
class Metric:
    """One thing that is measured. `gauge`: the latest value counts; `counter`: values add up."""

    name: str
    kind: Kind
    unit: str
    text: str


QUEUE_MESSAGES = Metric("queue.messages", "gauge", "messages", "Messages in a queue, hidden ones too")
QUEUE_OLDEST_SECONDS = Metric("queue.oldest_seconds", "gauge", "s", "Age of the next message of a queue")
POISON_MESSAGES = Metric("queue.poison_messages", "gauge", "messages", "Messages that failed for good")
CASES_OPEN = Metric("cases.open", "gauge", "cases", "Cases that are not answered")
CASES_DUE_SOON = Metric("cases.due_soon", "gauge", "cases", "Open cases a few days before their target day")
CASES_TARGET_PASSED = Metric("cases.target_passed", "gauge", "cases", "Open cases kept by a question only")
CASES_OVERDUE = Metric("cases.overdue", "gauge", "cases", "Open cases after their legal day")
CASES_WAITING = Metric("cases.waiting", "gauge", "cases", "Cases that wait for a person, by reason")
APP_HEALTHY = Metric("app.healthy", "gauge", "1", "1: settings and contacts are complete; 0: they are not")
ALARMS = Metric("operators.alarms", "counter", "alarms", "Alarms raised, by code")
SWEEP_TAKEN_UP = Metric("sweep.taken_up", "counter", "cases", "Cases that the sweep took up")
RETENTION_LOOKED_AT = Metric("retention.run.looked_at", "counter", "records", "Records a run looked at")
RETENTION_ERASED = Metric("retention.run.erased", "counter", "records", "Records a run erased, by rule")
RETENTION_KEPT = Metric(
    "retention.run.kept", "counter", "records", "Records a run kept though due, by reason"
)
RETENTION_FAILED = Metric("retention.run.failed", "counter", "records", "Records a run could not decide on")
RETENTION_REQUEST_UNITS = Metric("retention.run.request_units", "counter", "RU", "What a run cost")
RETENTION_SECONDS = Metric("retention.run.seconds", "gauge", "s", "How long a finished run took")
RETENTION_OLDEST_OVERDUE_DAYS = Metric(
    "retention.run.oldest_overdue_days", "gauge", "d", "How long the oldest due record has been due"
)
RETENTION_FINISHED = Metric("retention.run.finished", "counter", "runs", "Runs that came to their end")
RETENTION_UNFINISHED = Metric("retention.run.unfinished", "gauge", "runs", "1: a run is later than it may be")
NEWSLETTER_EVENTS = Metric("newsletter.webhook.events", "counter", "events", "Webhook events, by outcome")
NEWSLETTER_WEBHOOK_ACTIVE = Metric(
    "newsletter.webhook.active", "gauge", "1", "1: the vendor calls our webhook; 0: it stopped"
)
NEWSLETTER_DIVERGING = Metric(
    "newsletter.reconciliation.diverging", "gauge", "people", "People whose state differs after reconciling"
)
NEWSLETTER_REPAIRED = Metric(
    "newsletter.reconciliation.repaired", "counter", "people", "People whom reconciling brought in line"
)
NEWSLETTER_RECONCILED = Metric(
    "newsletter.reconciliation.finished", "counter", "runs", "Finished comparisons"
)

METRICS = {one.name: one for one in list(globals().values()) if isinstance(one, Metric)}
"""Every metric by its name."""


def masked(text: str) -> str:
    """Return a text without addresses, query strings, secrets of webhooks and long tokens.

    The last line of defence for logs: what we write ourselves holds none of these.
    """
    for pattern, instead in ((_WEBHOOK, r"\1-"), (_QUERY, "?-"), (_ADDRESS, "-"), (_TOKEN, "-")):
        text = pattern.sub(instead, text)
    return text


def checked(labels: dict[str, str]) -> dict[str, str]:
    """Return labels as they may leave the worker: an unknown one is left out, a strange value becomes `-`."""
    return {
        name: value if LABEL_VALUE.fullmatch(value) else "-"
        for name, value in labels.items()
        if name in LABELS
    }
