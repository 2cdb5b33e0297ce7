"""Requests that staff enter: by post, phone or mail, with the true day of receipt. Source: policy 7.2.

The clock runs from the day the message reached us, not from the day somebody typed it in.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.domain.cases import Channel
from shared.domain.errors import Invalid, NotAllowed
from shared.domain.identifiers import EMAIL, parse_email
from shared.domain.rights import Right
from shared.domain.standing import RequesterKind, Verdict, standing
from shared.domain.wishes import Requester, Wishes
from shared.services.context import Context
from shared.services.filing import Filing, put_on_file
from shared.services.wishing import checked_wishes

MOST_MANDATE = 200


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A request as a member of staff enters it.

    `email`: where the answer goes. `about`: the person's own address, where a representative is answered to;
    empty: the one who is answered is the person. `identity`: how the person was known, in a few words such
    as "answered from the registered number"; empty: the address has to be confirmed by mail first.
    `mandate`: how a representative's mandate was checked; never a copy of it.
    """

    rights: tuple[Right, ...]
    email: str
    channel: Channel
    received_at: datetime
    language: Literal["en", "da"]
    entered_by: str
    identity: str = ""
    requester: Literal["subject", "representative"] = "subject"
    mandate: str = ""
    about: str = ""
    wishes: Wishes = field(default_factory=Wishes)


async def enter(context: Context, entry: Entry) -> str:
    """Put a request on file as it came and return its id. A second call is a second request.

    Raises:
        Invalid: `email_invalid`, `received_in_future`, `received_impossible`, `channel_unfit`, or what
            `checked_wishes` refuses. `person_missing`: a representative says whom it acts for;
            `person_unfit`: anybody else is answered at the address that finds the data, and at no other.
        NotAllowed: `mandate_missing`: ask for the mandate; a person decides about a refusal.
    """
    if entry.channel not in ("post", "phone", "mail", "in_app"):
        raise Invalid("channel_unfit", "post, phone, mail or in_app", field="channel")
    for right in entry.rights:
        allowed = standing(RequesterKind(entry.requester), right, has_mandate=bool(entry.mandate.strip()))
        if allowed.verdict is Verdict.REFUSED:
            raise NotAllowed(allowed.code or "not_allowed")
    for_another = entry.requester == "representative"
    if for_another and not entry.about.strip():
        raise Invalid("person_missing", "name the person's own address", field="about")
    if entry.about.strip() and not for_another:
        raise Invalid("person_unfit", "only a representative asks for somebody else", field="about")
    request_id = secrets.token_hex(16)
    await put_on_file(
        context,
        Filing(
            request_id=request_id,
            rights=entry.rights,
            language=entry.language,
            channel=entry.channel,
            email=parse_email(entry.email),
            received_at=entry.received_at,
            identifiers={EMAIL: (parse_email(entry.about),)} if for_another else {},
            requester=Requester(kind=entry.requester, mandate=entry.mandate.strip()[:MOST_MANDATE] or None),
            wishes=checked_wishes(context, entry.wishes).model_copy(
                update={"about": entry.about.strip()} if for_another else {}
            ),
            is_known=bool(entry.identity.strip()),
            identity=entry.identity.strip()[:MOST_MANDATE],
            entered_by=entry.entered_by,
        ),
    )
    return request_id
