"""Facts with which every kind of letter can be written: something is in every field."""

from datetime import UTC, date, datetime
from html.parser import HTMLParser

from shared.datamap.models import Backup, Text
from shared.domain.rights import Right
from shared.rendering.letter_facts import TO_THE_SUBJECT
from shared.rendering.letters import (
    CorrectedPart,
    DecisionFact,
    KeptPart,
    LetterFacts,
    LetterKind,
    QuestionFact,
    ToldRecipient,
)

LINKS = {
    name: f"https://privacy.example.invalid/requests/req-0001/{name}?token=1.{'a' * 64}"
    for name in ("verify", "cancel", "status", "package", "answer")
}
SETTLED = (
    ToldRecipient(name="Example Mail Ltd", state="done"),
    ToldRecipient(name="Example Carrier A/S", state="told"),
    ToldRecipient(name="Example Analytics Inc", state="not_held"),
    ToldRecipient(name="Example Visits Ltd", state="accepted", until=date(2027, 1, 2)),
    ToldRecipient(name="Example Counting Ltd", state="unidentified"),
    ToldRecipient(name="Example Shop ApS", state="impossible", why="it has closed down"),
)
OPEN = (
    ToldRecipient(name="Example Audience Ltd", state="pending", why="it does not answer"),
    ToldRecipient(name="Example Hosting A/S", state="staff"),
)
CUSTOMER_KINDS = (LetterKind.CUSTOMER_PACKAGE_READY, LetterKind.CUSTOMER_DONE)


def letter_facts(**changes):
    """Return facts of an erasure letter; `contacts` must be given, any other field can be changed."""
    kind = changes.get("kind", LetterKind.ERASED)
    facts = {
        "kind": kind,
        "language": "en",
        "request_id": "req-0001",
        "received_on": date(2026, 11, 23),
        "due_on": date(2026, 12, 23),
        "rights": (Right.ERASURE,),
        "links": LINKS,
        "link_expires_at": datetime(2026, 11, 30, 9, 0, tzinfo=UTC),
        "package_expires_on": date(2026, 12, 7),
        "erased": (("Member profiles", 1), ("Course activity", 1200)),
        "switched_off": (("Club cards", ("Birthday greetings", "Invitations")),),
        "kept": (
            KeptPart(
                title="Orders",
                reason="bookkeeping documents stay",
                provision="Bookkeeping Act",
                until=date(2031, 12, 31),
                records=2,
            ),
            KeptPart(title="Licences", reason="a dispute", provision="17(3)(e)", until=None, records=1),
        ),
        "backups": (
            Backup(platform=Text(en="Database copies", da="Databasekopier"), horizon_days=30, source="x"),
        ),
        "recipients": ("Example Print Ltd", "Example Copy Ltd"),
        "unnamed": ("poster design", "shop windows"),
        "told": SETTLED if kind is LetterKind.RECIPIENTS_DONE else SETTLED + OPEN,
        "decision": DecisionFact(
            reason="The invoice is still unpaid.", provision="GDPR article 17(3)(b)", parts=("Invoices",)
        ),
        "grounds": ("accuracy", "unclear"),
        "question": QuestionFact(text="Which account do you mean?", kind="clarification", pauses=True),
        "extension_reason": "Your data lies in eleven systems.",
        "former_due_on": date(2026, 12, 21),
        "covered": ("Membership and logins",),
        "not_covered": (("Usage statistics", "they rest on a legitimate interest"),),
        "corrected": (CorrectedPart(title="Address book", facts=("name", "phone"), records=3),),
        "noted": (
            CorrectedPart(title="Usage log", facts=()),
            CorrectedPart(title="Old invoices", facts=("name",)),
        ),
        "uncorrected": (
            KeptPart(
                title="Old invoices",
                reason="they must not be altered",
                provision="Danish Bookkeeping Act",
                until=date(2030, 12, 31),
                records=1,
                facts=("name",),
            ),
        ),
        "transfer_host": "import.other.example",
        "transferred_at": datetime(2026, 12, 1, 11, 30, tzinfo=UTC),
        "objected": ("Measuring how the product is used",),
        "customer": ("Example Customer ApS" if kind in (*CUSTOMER_KINDS, *TO_THE_SUBJECT) else ""),
        "customer_right": Right.ERASURE,
        "contested": ("Display name",),
        "lift_on": date(2027, 1, 11),
        "suppressed": True,
        "identification_hint": "an installation id",
    }
    return LetterFacts(**(facts | changes))


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.pieces = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.pieces.append(data)

    @property
    def text(self):
        return " ".join("".join(self.pieces).split())


def plain(letter):
    """Return the text form as one line."""
    return " ".join(letter.text.split())
