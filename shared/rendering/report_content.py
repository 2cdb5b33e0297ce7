"""The content of an access answer as plain data: codes for machines, words in the person's language.

Every row of GDPR article 15 has its key here; what the policy does not say is `not_stated`, never left out.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from shared.datamap.models import NOT_STATED, Activity, DataMap, Recipient, Store
from shared.datamap.ownership import is_own
from shared.domain.contacts import Contacts
from shared.domain.rights import Right
from shared.domain.times import copenhagen_day, utc_text
from shared.rendering.archive import Member
from shared.rendering.dates import period_text
from shared.rendering.kept import criteria_text
from shared.rendering.report_facts import AccessReport, Disclosure, HeldFact, StoreFinding
from shared.rendering.transfers import TransferSpan, transfer_spans
from shared.rendering.words import words

_EVERY_ACTIVITY = "all"


def report_content(datamap: DataMap, report: AccessReport, members: Sequence[Member]) -> dict[str, Any]:
    """Return the whole answer as JSON-ready data; `index.html` and `about.json` are made from it.

    Activities stand in the map's order, those without data about the person too, in the same form. Data is
    not `data_found` where it is `only_requests`: the request itself, as our register has to have it.
    """
    findings = {finding.store_id: finding for finding in report.findings}
    for store_id in findings:
        datamap.store(store_id)
    activities = [_activity(datamap, report, activity, findings, members) for activity in datamap.activities]
    return {
        "format": "access-answer/1",
        "request_id": report.request_id,
        "for_representative": report.for_representative,
        "language": report.language,
        "received_at": utc_text(report.received_at),
        "prepared_at": utc_text(report.prepared_at),
        "package_expires_at": utc_text(report.package_expires_at),
        "map_digest": datamap.digest,
        "data_found": any(activity["data_found"] for activity in activities),
        "activities": activities,
        "disclosures": [_disclosure(datamap, one, report.language) for one in report.disclosures],
        "holds": [_hold(datamap, hold, report.language) for hold in report.holds],
        "restrictions": [
            {"ground": ground, "title": _known("ground", ground, report.language)}
            for ground in report.restrictions
        ],
        "suppressions": [
            {"reason": reason, "since": since.isoformat()} for reason, since in report.suppressions
        ],
        "redactions": [
            {
                "store_id": finding.store_id,
                "title": datamap.store(finding.store_id)[1].title.in_language(report.language),
                "reason": _known("reason", reason, report.language),
                "count": count,
            }
            for finding in report.findings
            for reason, count in finding.redactions
        ],
        "done_before": [
            {
                "store_id": store_id,
                "title": datamap.store(store_id)[1].title.in_language(report.language),
                "count": count,
            }
            for store_id, count in report.done_before
        ],
        "backups": [
            {"platform": backup.platform.in_language(report.language), "horizon_days": backup.horizon_days}
            for backup in datamap.policy.backups
        ],
        "policy_versions": [
            {
                "number": version.number,
                "language": version.language,
                "valid_from": version.valid_from.isoformat(),
                "valid_to": _day(version.valid_to),
                "shown_to_you": version.number in report.policy_versions_shown,
            }
            for version in datamap.policy.versions
        ],
        "controller": {
            "name": report.contacts.controller_name,
            "address": report.contacts.controller_address,
            "email": report.contacts.controller_email,
            "data_protection_officer": NOT_STATED,
        },
        "complaint": _complaint(report.contacts, report.language),
    }


def _activity(
    datamap: DataMap,
    report: AccessReport,
    activity: Activity,
    findings: Mapping[str, StoreFinding],
    members: Sequence[Member],
) -> dict[str, Any]:
    language = report.language
    counted = [
        store
        for store in activity.stores
        if not is_own(datamap, store.id) or _says_more_than_the_request(report)
    ]
    is_held = any(_is_held(findings.get(store.id)) for store in counted)
    held = [_store(store, findings.get(store.id), members, language) for store in activity.stores]
    recipients = {recipient.id: recipient for recipient in datamap.recipients}
    named = [recipients[recipient_id] for recipient_id in activity.recipients]
    basis = activity.legal_basis
    return {
        "id": activity.id,
        "title": activity.title.in_language(language),
        "clauses": list(activity.clauses),
        "data_found": is_held,
        "only_requests": not is_held and any(store["data_found"] for store in held),
        "records": sum(store["records"] for store in held),
        "files": sum(store["files"] for store in held),
        "stores": held,
        "purposes": [
            {"id": purpose.id, "title": purpose.title.in_language(language), "clause": purpose.clause}
            for purpose in activity.purposes
        ],
        "categories": _categories(datamap, activity, language),
        "recipients": [_recipient(recipient, report) for recipient in named],
        "retention": _retention(datamap, activity, language),
        "rights": _rights(activity, language),
        "source": {
            "text": activity.source.in_language(language),
            "kinds": sorted({field.source for store in activity.stores for field in store.fields}),
        },
        "transfers": [
            _transfer(recipient, span, language)
            for recipient in named
            for span in transfer_spans(recipient, today=copenhagen_day(report.prepared_at))
        ],
        "legal_basis": {
            "stated": list(basis.stated),
            "supported": list(basis.supported),
            "stated_but_not_supported": [one for one in basis.stated if one not in basis.supported],
            "interest": basis.interest
            if isinstance(basis.interest, str)
            else basis.interest.in_language(language),
        },
        "profiling": activity.profiling.in_language(language) if activity.profiling else None,
        "automated_decisions": "none_recorded",
        "role": activity.role,
        "role_contested": activity.role_contested,
        "holds": [
            _hold(datamap, hold, language)
            for hold in report.holds
            if hold.activity_id in (activity.id, _EVERY_ACTIVITY)
        ],
    }


def _is_held(finding: StoreFinding | None) -> bool:
    return finding is not None and bool(finding.records or finding.files)


def _says_more_than_the_request(report: AccessReport) -> bool:
    """Tell whether our own database says more of the person than that there are requests.

    Its register always holds this very request; rows of the ledger, holds, restrictions and blocks are more.
    """
    return bool(report.disclosures or report.holds or report.restrictions or report.suppressions)


def _store(
    store: Store, finding: StoreFinding | None, members: Sequence[Member], language: str
) -> dict[str, Any]:
    prefixes = (f"data/{store.id}/", f"files/{store.id}/")
    return {
        "id": store.id,
        "title": store.title.in_language(language),
        "data_found": _is_held(finding),
        "records": finding.records if finding else 0,
        "files": finding.files if finding else 0,
        "pages": finding.pages if finding else 0,
        "entries": [
            {"name": member.name, "size_bytes": member.size_bytes}
            for member in members
            if member.name.startswith(prefixes)
        ],
    }


def _categories(datamap: DataMap, activity: Activity, language: str) -> list[dict[str, Any]]:
    fields: dict[str, dict[tuple[str, str], dict[str, str]]] = {}
    for store in activity.stores:
        for field in store.fields:
            if field.about != "system":
                entry = {
                    "title": field.title.in_language(language),
                    "path": field.path,
                    "store_id": store.id,
                    "source": field.source,
                }
                fields.setdefault(field.category, {}).setdefault((entry["title"], store.id), entry)
    titles = datamap.policy.categories
    return [
        {
            "id": category,
            "title": titles[category].in_language(language) if category in titles else category,
            "fields": list(entries.values()),
        }
        for category, entries in fields.items()
    ]


def _recipient(recipient: Recipient, report: AccessReport) -> dict[str, Any]:
    return {
        "id": recipient.id,
        "name": recipient.name_in(report.language),
        "kind": recipient.kind,
        "what_for": recipient.what_for.in_language(report.language),
        "data": recipient.data.in_language(report.language),
        "contract_ref": recipient.contract_ref,
        "disclosures": [
            _disclosure_facts(one) for one in report.disclosures if one.recipient_id == recipient.id
        ],
    }


def _disclosure(datamap: DataMap, one: Disclosure, language: str) -> dict[str, Any]:
    known = next((recipient for recipient in datamap.recipients if recipient.id == one.recipient_id), None)
    return {
        "recipient_id": one.recipient_id,
        "recipient": known.name_in(language) if known else one.recipient_id,
        "kind": known.kind if known else NOT_STATED,
        **_disclosure_facts(one),
    }


def _disclosure_facts(one: Disclosure) -> dict[str, Any]:
    return {
        "disclosed_at": utc_text(one.disclosed_at),
        "fields": list(one.fields),
        "purpose": one.purpose,
        "reference": one.reference,
    }


def _retention(datamap: DataMap, activity: Activity, language: str) -> dict[str, Any]:
    criteria = criteria_text(datamap, activity, language)
    rule = next((one for one in datamap.policy.retention_rules if one.id == activity.retention.rule), None)
    if rule is None:
        return {"rule": activity.retention.rule, "period": NOT_STATED, "criteria": criteria}
    return {
        "rule": rule.id,
        "clause": rule.clause,
        "title": rule.title.in_language(language),
        "period": rule.period or "at_once",
        "period_text": period_text(rule.period, language) if rule.period else str(words(language).at_once),
        "trigger": rule.trigger,
        "reset_by": rule.reset_by.in_language(language) if rule.reset_by else None,
        "erased_with_it": rule.erased_with_it.in_language(language),
        "criteria": criteria,
    }


def _rights(activity: Activity, language: str) -> list[dict[str, Any]]:
    # A basis the policy only claims opens the right as well: the doubt must not work against the person.
    letters = {*activity.legal_basis.stated, *activity.legal_basis.supported}
    applies = {
        Right.RECTIFICATION: True,
        Right.ERASURE: True,
        Right.RESTRICTION: True,
        Right.OBJECTION: "f" in letters,
        Right.PORTABILITY: activity.portability.applies,
        Right.WITHDRAWAL: "a" in letters,
    }
    return [
        {
            "right": str(right),
            "title": _known("right", right, language),
            "applies": answer,
            "why": activity.portability.why.in_language(language) if right is Right.PORTABILITY else None,
        }
        for right, answer in applies.items()
    ]


def _transfer(recipient: Recipient, span: TransferSpan, language: str) -> dict[str, Any]:
    return {
        "recipient": recipient.name_in(language),
        "country": span.country,
        "importer": span.importer,
        "mechanism": span.mechanism,
        "valid_from": _day(span.valid_from),
        "valid_to": _day(span.valid_to),
        "evidence": span.evidence,
        "status": span.status,
    }


def _hold(datamap: DataMap, hold: HeldFact, language: str) -> dict[str, Any]:
    titles = {activity.id: activity.title.in_language(language) for activity in datamap.activities}
    every = str(words(language).every_activity)
    return {
        "activity_id": hold.activity_id,
        "activity": titles.get(
            hold.activity_id, every if hold.activity_id == _EVERY_ACTIVITY else hold.activity_id
        ),
        "reason": hold.reason,
        "review_on": _day(hold.review_on),
    }


def _complaint(contacts: Contacts, language: str) -> dict[str, Any]:
    return {
        "authority": {
            "name": contacts.authority_name,
            "address": contacts.authority_address,
            "email": contacts.authority_email,
            "url": contacts.authority_url,
        },
        "judicial_remedy": str(words(language).judicial_remedy),
        "verified_on": _day(contacts.verified_on),
    }


def _known(kind: str, code: str, language: str) -> str:
    name = f"{kind}_{code}".replace(" ", "_").replace("'", "")
    return str(getattr(words(language), name, code))


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
