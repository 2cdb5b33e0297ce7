"""The calls of Campaign Monitor's API v3.3 on an account in memory, without HTTP.

Which code an inactive subscriber gets from which call is not documented for every pair: where it is not, the
strictest answer is given, so that code which survives here survives more there.
Source: https://www.campaignmonitor.com/api/v3-3/subscribers/, /lists/ and /clients/.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from devtools.stand_ins.newsletter_account import (
    DELETED,
    NewsletterAccount,
    Subscriber,
    SubscriberList,
    key_of,
)

Query = Mapping[str, str]
_STATE_CODES = {"Unsubscribed": (206, "Unsubscribed"), "Bounced": (207, "Bounced")}
_SMALLEST_PAGE, _LARGEST_PAGE = 10, 1000


class ApiError(Exception):
    """An answer that is not a success, with the vendor's code."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"Code": code, "Message": message}


class NewsletterApi:
    """Answers calls with what goes into the body; None: an empty one.

    Attributes:
        hides_deleted: Whether a deleted subscriber is shown by its list's `deleted` only. The vendor's
            documents do not say.
        unsubscribes_everywhere: Whether unsubscribing counts for all lists and suppresses the address, which
            is a setting of the client's lists.
    """

    def __init__(self, account: NewsletterAccount) -> None:
        self.account = account
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
                "DateSubscriberAdded": "2026-01-01 00:00:00",
            }
            for list_id, found, subscriber in self.account.of(_address(query.get("email", "")))
            if self._is_shown(subscriber)
        ]

    def details(self, found: SubscriberList, query: Query) -> dict[str, Any]:
        """`GET /subscribers/{list}.json`."""
        return self._shown(found, query.get("email", "")).wire()

    def history(self, found: SubscriberList, query: Query) -> list[dict[str, Any]]:
        """`GET /subscribers/{list}/history.json`."""
        return self._shown(found, query.get("email", "")).history

    def update(self, found: SubscriberList, query: Query, body: Mapping[str, Any]) -> None:
        """`PUT /subscribers/{list}.json`: an empty name changes nothing, and no data leave."""
        subscriber = self._shown(found, query.get("email", ""))
        if subscriber.state == DELETED:
            raise ApiError(400, 205, "Subscriber is deleted")
        tracking = body.get("ConsentToTrack")
        if tracking not in {"Yes", "No", "Unchanged"}:
            raise ApiError(400, 214, "ConsentToTrack must be set")
        new = _address(body.get("EmailAddress") or subscriber.email)
        if key_of(new) != key_of(subscriber.email) and key_of(new) in found.subscribers:
            raise ApiError(400, 211, "New address is taken")
        found.subscribers[key_of(new)] = found.subscribers.pop(key_of(subscriber.email))
        subscriber.email = new
        subscriber.name = body.get("Name") or subscriber.name
        subscriber.tracking = subscriber.tracking if tracking == "Unchanged" else tracking
        _write_fields(subscriber, body.get("CustomFields", ()))
        if body.get("Resubscribe") is True:
            self.account.move(subscriber, "Active")

    def delete(self, found: SubscriberList, query: Query) -> None:
        """`DELETE /subscribers/{list}.json`: a state, not the end of the data."""
        subscriber = self._in(found, query.get("email", ""))
        if subscriber.state == DELETED:
            raise _not_in_list()
        self.account.move(subscriber, DELETED)

    def unsubscribe(self, found: SubscriberList, body: Mapping[str, Any]) -> None:
        """`POST /subscribers/{list}/unsubscribe.json`."""
        email = str(body.get("EmailAddress", ""))
        subscriber = self._in(found, email)
        if subscriber.state == DELETED:
            raise _not_in_list() if self.hides_deleted else ApiError(400, 205, "Subscriber is deleted")
        if subscriber.state in _STATE_CODES:
            raise ApiError(400, *_STATE_CODES[subscriber.state])
        if subscriber.state == "Unconfirmed":
            raise ApiError(400, 208, "Unconfirmed")
        if key_of(email) in self.account.suppressed:
            raise ApiError(400, 204, "In suppression list")
        if not self.unsubscribes_everywhere:
            self.account.move(subscriber, "Unsubscribed")
            return
        for _, _, one in self.account.of(email):
            if one.state != DELETED:
                self.account.move(one, "Unsubscribed")
        self.account.suppress(email)

    def suppress(self, body: Mapping[str, Any]) -> None:
        """`POST /clients/{id}/suppress.json`."""
        for email in body.get("EmailAddresses", ()):
            self.account.suppress(_address(email))

    def suppression_list(self, query: Query) -> dict[str, Any]:
        """`GET /clients/{id}/suppressionlist.json`."""
        rows = [
            {
                "EmailAddress": email,
                "Date": "2026-01-01 00:00:00",
                "State": "Suppressed",
                "SuppressionReason": "Unsubscribed",
            }
            for email in self.account.suppressed.values()
        ]
        return _page(rows, query, by={"email": lambda row: key_of(row["EmailAddress"])})

    def in_state(self, found: SubscriberList, state: str, query: Query) -> dict[str, Any]:
        """`GET /lists/{list}/active.json` and the like: deleted ones with all their data."""
        rows = sorted(
            (one for one in found.subscribers.values() if one.state == state), key=lambda one: one.changed
        )
        by = {"email": lambda row: key_of(row["EmailAddress"]), "name": lambda row: row["Name"]}
        return _page([one.wire() for one in rows], query, by=by)

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


def _write_fields(subscriber: Subscriber, given: Iterable[Mapping[str, Any]]) -> None:
    for one in given:
        rest = [field for field in subscriber.fields if field["Key"] != one["Key"]]
        if one.get("Clear") is True:
            subscriber.fields = rest
        elif one.get("Value"):
            subscriber.fields = [*rest, {"Key": one["Key"], "Value": one["Value"]}]


def _page(
    rows: list[dict[str, Any]], query: Query, *, by: Mapping[str, Callable[[dict[str, Any]], str]]
) -> dict[str, Any]:
    """Return one page; `rows` are in the order of their dates."""
    try:
        number, size = int(query.get("page", "1")), int(query.get("pagesize", str(_LARGEST_PAGE)))
    except ValueError:
        raise ApiError(400, 800, "Invalid paging") from None
    order, direction = query.get("orderfield", "email"), query.get("orderdirection", "asc")
    is_known = order in {"email", "name", "date"} and direction in {"asc", "desc"}
    if number < 1 or not _SMALLEST_PAGE <= size <= _LARGEST_PAGE or not is_known:
        raise ApiError(400, 801, "Invalid paging")
    if order in by:
        rows = sorted(rows, key=by[order])
    if direction == "desc":
        rows = rows[::-1]
    results = rows[(number - 1) * size : number * size]
    return {
        "Results": results,
        "ResultsOrderedBy": order,
        "OrderDirection": direction,
        "PageNumber": number,
        "PageSize": size,
        "RecordsOnThisPage": len(results),
        "TotalNumberOfRecords": len(rows),
        "NumberOfPages": math.ceil(len(rows) / size),
    }
