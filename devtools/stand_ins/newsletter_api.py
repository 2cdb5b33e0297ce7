"""The calls of Campaign Monitor's API v3.3 on an account in memory, without HTTP.

Which code an inactive subscriber gets from which call is not documented for every pair: where it is not, the
strictest answer is given, so that code which survives here survives more there.
Source: https://www.campaignmonitor.com/api/v3-3/subscribers/, /lists/ and /clients/.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devtools.stand_ins.newsletter_account import (
    ACTIVE,
    BOUNCED,
    DELETED,
    UNCONFIRMED,
    UNSUBSCRIBED,
    NewsletterAccount,
    Subscriber,
    SubscriberList,
    key_of,
)
from devtools.stand_ins.newsletter_changes import NewsletterChanges
from devtools.stand_ins.newsletter_pages import ApiError, Query, page

_STATE_CODES = {
    UNSUBSCRIBED: (206, "Unsubscribed"),
    BOUNCED: (207, "Bounced"),
    UNCONFIRMED: (208, "Unconfirmed"),
}
_TRACKING = frozenset({"Yes", "No", "Unchanged"})
_LARGEST_IMPORT = 1000


class NewsletterApi:
    """Answers calls with what goes into the body; None: an empty one.

    Attributes:
        hides_deleted: Whether a deleted subscriber is shown by its list's `deleted` only. The vendor's
            documents do not say.
        unsubscribes_everywhere: Whether unsubscribing counts for all lists and suppresses the address, which
            is a setting of the client's lists.
    """

    def __init__(self, changes: NewsletterChanges) -> None:
        self.changes = changes
        self.account: NewsletterAccount = changes.account
        self.hides_deleted = True
        self.unsubscribes_everywhere = False

    def lists(self) -> list[dict[str, Any]]:
        """`GET /clients/{id}/lists.json`."""
        return [{"ListID": list_id, "Name": found.title} for list_id, found in self.account.lists.items()]

    def lists_for_email(self, query: Query) -> list[dict[str, Any]]:
        """`GET /clients/{id}/listsforemail.json`."""
        return [
            {
                "ListID": list_id,
                "ListName": found.title,
                "SubscriberState": subscriber.state,
                "DateSubscriberAdded": subscriber.joined,
            }
            for list_id, found, subscriber in self.account.of(_address(query.get("email", "")))
            if self._is_shown(subscriber)
        ]

    def details(self, found: SubscriberList, query: Query) -> dict[str, Any]:
        """`GET /subscribers/{list}.json`."""
        return self._shown(found, query.get("email", "")).wire(with_tracking=_with_tracking(query))

    def history(self, found: SubscriberList, query: Query) -> list[dict[str, Any]]:
        """`GET /subscribers/{list}/history.json`."""
        return self._shown(found, query.get("email", "")).history

    def add(self, found: SubscriberList, body: Mapping[str, Any]) -> str:
        """`POST /subscribers/{list}.json`: one who is there is written over, one who left comes back only on
        request, one who was deleted comes back.
        """  # noqa: D205 - what each kind of person gets is one sentence
        self._enter(found, body, resubscribe=body.get("Resubscribe") is True)
        return str(body["EmailAddress"])

    def bring_in(self, found: SubscriberList, body: Mapping[str, Any]) -> dict[str, Any]:
        """`POST /subscribers/{list}/import.json`: as many as can be; 210 says who could not."""
        rows = list(body.get("Subscribers", ()))
        if len(rows) > _LARGEST_IMPORT:
            raise ApiError(400, 209, "Subscriber batch too large")
        failures: list[dict[str, Any]] = []
        seen: set[str] = set()
        counts = {"TotalExistingSubscribers": 0, "TotalNewSubscribers": 0}
        for row in rows:
            key = key_of(str(row.get("EmailAddress", "")))
            was_there = key in found.subscribers
            try:
                self._enter(found, row, resubscribe=body.get("Resubscribe") is True, confirmed=True)
            except ApiError as error:
                failures.append({"EmailAddress": row.get("EmailAddress", ""), **error.body})
            else:
                counts["TotalExistingSubscribers" if was_there else "TotalNewSubscribers"] += 1
                seen.add(key)
        result = {
            "FailureDetails": failures,
            "TotalUniqueEmailsSubmitted": len(seen) + len(failures),
            **counts,
            "DuplicateEmailsInSubmission": [],
        }
        if failures:
            raise ApiError(400, 210, "Subscriber import had some failures", result=result)
        return result

    def _enter(
        self,
        found: SubscriberList,
        body: Mapping[str, Any],
        *,
        resubscribe: bool,
        confirmed: bool = False,
    ) -> None:
        email = _address(body.get("EmailAddress"))
        tracking = _tracking(body)
        if key_of(email) in self.account.suppressed:
            raise ApiError(400, 204, "In suppression list")
        name, fields = str(body.get("Name") or ""), body.get("CustomFields", ())
        subscriber = found.subscribers.get(key_of(email))
        if subscriber is not None and subscriber.state == ACTIVE:
            self.changes.edit(found, subscriber, name=name, fields=fields)
        elif subscriber is not None and subscriber.state in _STATE_CODES and not resubscribe:
            raise ApiError(400, *_STATE_CODES[subscriber.state])
        else:
            at_once = confirmed or not found.confirms
            subscriber = self.changes.enter(found, email, name=name, fields=fields, confirmed=at_once)
        subscriber.tracking = subscriber.tracking if tracking == "Unchanged" else tracking

    def update(self, found: SubscriberList, query: Query, body: Mapping[str, Any]) -> None:
        """`PUT /subscribers/{list}.json`: an empty name changes nothing, and no data leave."""
        subscriber = self._shown(found, query.get("email", ""))
        if subscriber.state == DELETED:
            raise ApiError(400, 205, "Subscriber is deleted")
        tracking = _tracking(body)
        new = _address(body.get("EmailAddress") or subscriber.email)
        if key_of(new) != key_of(subscriber.email) and key_of(new) in found.subscribers:
            raise ApiError(400, 211, "New address is taken")
        subscriber.tracking = subscriber.tracking if tracking == "Unchanged" else tracking
        self.changes.edit(
            found,
            subscriber,
            email=new,
            name=str(body.get("Name") or ""),
            fields=body.get("CustomFields", ()),
        )
        if body.get("Resubscribe") is True and subscriber.state != ACTIVE:
            self.changes.enter(found, subscriber.email)

    def delete(self, found: SubscriberList, query: Query) -> None:
        """`DELETE /subscribers/{list}.json`: a state, not the end of the data."""
        subscriber = self._in(found, query.get("email", ""))
        if subscriber.state == DELETED:
            raise _not_in_list()
        self.changes.leave(found, subscriber, DELETED)

    def unsubscribe(self, found: SubscriberList, body: Mapping[str, Any]) -> None:
        """`POST /subscribers/{list}/unsubscribe.json`."""
        email = str(body.get("EmailAddress", ""))
        subscriber = self._in(found, email)
        if subscriber.state == DELETED:
            raise _not_in_list() if self.hides_deleted else ApiError(400, 205, "Subscriber is deleted")
        if subscriber.state in _STATE_CODES:
            raise ApiError(400, *_STATE_CODES[subscriber.state])
        if key_of(email) in self.account.suppressed:
            raise ApiError(400, 204, "In suppression list")
        if not self.unsubscribes_everywhere:
            self.changes.leave(found, subscriber)
            return
        for _, holding, one in self.account.of(email):
            if one.state != DELETED:
                self.changes.leave(holding, one)
        self.account.suppress(email)

    def suppress(self, body: Mapping[str, Any]) -> None:
        """`POST /clients/{id}/suppress.json`."""
        for email in body.get("EmailAddresses", ()):
            self.account.suppress(_address(email), reason="Manually suppressed")

    def unsuppress(self, query: Query) -> None:
        """`PUT /clients/{id}/unsuppress.json`."""
        if self.account.suppressed.pop(key_of(_address(query.get("email", ""))), None) is None:
            raise ApiError(400, 176, "Not in suppression list")

    def suppression_list(self, query: Query) -> dict[str, Any]:
        """`GET /clients/{id}/suppressionlist.json`."""
        rows = [
            {
                "EmailAddress": entry.email,
                "Date": entry.date,
                "State": "Suppressed",
                "SuppressionReason": entry.reason,
            }
            for entry in self.account.suppressed.values()
        ]
        return page(rows, query, by={"email": lambda row: key_of(row["EmailAddress"])})

    def in_state(self, found: SubscriberList, state: str, query: Query) -> dict[str, Any]:
        """`GET /lists/{list}/active.json` and the like: those since `date`, deleted ones with all data."""
        since = query.get("date", "")
        rows = sorted(
            (one for one in found.subscribers.values() if one.state == state and one.date >= since),
            key=lambda one: (one.date, one.changed),
        )
        by = {"email": lambda row: key_of(row["EmailAddress"]), "name": lambda row: row["Name"]}
        shown = [one.wire(with_tracking=_with_tracking(query)) for one in rows]
        return page(shown, query, by=by)

    def settings(self, found: SubscriberList) -> dict[str, Any]:
        """`GET /lists/{list}.json`."""
        everywhere = "AllClientLists" if self.unsubscribes_everywhere else "OnlyThisList"
        return {
            "ListID": found.list_id,
            "Title": found.title,
            "UnsubscribePage": "",
            "ConfirmedOptIn": found.confirms,
            "ConfirmationSuccessPage": "",
            "UnsubscribeSetting": everywhere,
        }

    def _is_shown(self, subscriber: Subscriber) -> bool:
        return subscriber.state != DELETED or not self.hides_deleted

    def _in(self, found: SubscriberList, email: str) -> Subscriber:
        subscriber = found.subscribers.get(key_of(_address(email)))
        if subscriber is None:
            raise _not_in_list()
        return subscriber

    def _shown(self, found: SubscriberList, email: str) -> Subscriber:
        subscriber = self._in(found, email)
        if not self._is_shown(subscriber):
            raise _not_in_list()
        return subscriber


def _not_in_list() -> ApiError:
    return ApiError(400, 203, "Subscriber not in list or has already been removed.")


def _address(email: object) -> str:
    # A blank is what an unencoded plus sign becomes on its way.
    if not isinstance(email, str) or email.count("@") != 1 or " " in email:
        raise ApiError(400, 1, "Invalid Email Address")
    return email


def _tracking(body: Mapping[str, Any]) -> str:
    tracking = body.get("ConsentToTrack")
    if not tracking:
        raise ApiError(400, 214, "ConsentToTrack value required")
    if tracking not in _TRACKING:
        raise ApiError(400, 215, "ConsentToTrack value is invalid")
    return str(tracking)


def _with_tracking(query: Query) -> bool:
    return query.get("includetrackingpreference", "").lower() == "true"
