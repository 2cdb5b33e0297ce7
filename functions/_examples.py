"""An example or more of every door's body, by the door's name. Every value in them is made up."""

from collections.abc import Mapping
from typing import Any

_ANE = "ane@people.example"
_TOKEN = f"1798761600.{'0' * 64}"
_PRESSED: tuple[dict[str, Any], ...] = ({"token": _TOKEN},)

EXAMPLES: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "requests_submit": (
        {"email": _ANE, "right": "access"},
        {"email": _ANE, "rights": ["access", "erasure"], "language": "da"},
        {
            "email": _ANE,
            "right": "rectification",
            "corrections": {"name": "Ane Eksempel"},
            "message": "The name is misspelt.",
        },
        {"email": _ANE, "right": "restriction", "ground": "accuracy"},
        {"email": _ANE, "message": "Please stop using what you know of me."},
    ),
    "requests_verification": _PRESSED,
    "requests_cancellation": _PRESSED,
    "requests_answer": ({"token": _TOKEN, "text": "It is the second one."},),
    "package_fetch": _PRESSED,
    "package_delete": _PRESSED,
    "activity_events": (
        {
            "events": [
                {
                    "event_id": "e-0001",
                    "user_id": "user-0001",
                    "installation_id": "installation-1",
                    "customer_id": "customer-1",
                    "kind": "start",
                    "at": "2026-11-02T09:30:00+01:00",
                }
            ]
        },
    ),
    "policy_displays": (
        {"identifier": {"kind": "user_id", "value": "user-0001"}, "channel": "application"},
        {
            "identifier": {"kind": "email", "value": _ANE},
            "channel": "content_cloud",
            "language": "en",
            "version": "1",
        },
    ),
    "processing_decisions": (
        {
            "identifier": {"kind": "email", "value": _ANE},
            "purpose": "member_newsletter",
            "operation": "mail",
        },
        {
            "questions": [
                {
                    "identifiers": [{"kind": "user_id", "value": "user-0001"}],
                    "purpose": "member_newsletter",
                    "operation": "profile",
                }
            ]
        },
    ),
    "disclosures_record": (
        {
            "disclosures": [
                {
                    "id": "shipment-0001",
                    "recipient": "postnord",
                    "identifier": {"kind": "email", "value": _ANE},
                    "purpose": "delivery",
                    "fields": ["/addressee/name", "/addressee/street"],
                    "reference": "order-0001",
                }
            ]
        },
    ),
    "consents_record": (
        {
            "email": _ANE,
            "purpose": "member_newsletter",
            "policy_version": "1",
            "given_at": "2026-11-02T09:30:00+01:00",
        },
    ),
    "newsletter_subscribe": (
        {
            "email": _ANE,
            "purposes": ["member_newsletter"],
            "consent": True,
            "box_before": "empty",
            "policy_version": "1",
            "wording_version": "2026-1",
            "wording_sha256": "0" * 64,
            "language": "da",
        },
    ),
    "newsletter_confirmation": _PRESSED,
    "newsletter_leave_address": ({"email": _ANE},),
    "newsletter_leave": _PRESSED,
    "newsletter_choose": ({"token": _TOKEN, "purposes": ["member_newsletter"]},),
    "newsletter_links": ({"email": _ANE, "purpose": "member_newsletter"},),
    "newsletter_import": (
        {
            "rows": [
                {
                    "email": _ANE,
                    "purpose": "member_newsletter",
                    "given_at": "2026-11-02T09:30:00+01:00",
                    "policy_version": "1",
                    "wording_version": "2025-3",
                    "wording_sha256": "0" * 64,
                }
            ]
        },
    ),
    "marketing_exceptions_record": (
        {
            "email": _ANE,
            "purpose": "author_newsletter",
            "sold_at": "2026-11-02T09:30:00+01:00",
            "reference": "order-0001",
            "refusal_offered": True,
            "similar": True,
        },
    ),
    "opendsr_submit": (
        {
            "regulation": "gdpr",
            "subject_request_id": "a7551968-d5d6-44b2-9831-815ac9017798",
            "subject_request_type": "erasure",
            "submitted_time": "2026-11-02T09:30:00Z",
            "subject_identities": [
                {"identity_type": "email", "identity_value": _ANE, "identity_format": "raw"}
            ],
            "status_callback_urls": ["https://platform.example/callbacks"],
            "api_version": "2.0",
        },
    ),
    "operations_enter": (
        {
            "rights": ["access"],
            "email": _ANE,
            "channel": "post",
            "received_at": "2026-11-02T09:30:00+01:00",
            "language": "da",
            "identity": "registered_contact",
        },
    ),
    "operations_customer_request": (
        {
            "customer_id": "cust-0001",
            "right": "erasure",
            "kind": "user_id",
            "value": "user-0001",
            "answer_to": "admin@people.example",
        },
    ),
    "operations_identity": ({"method": "registered_contact"},),
    "operations_newsletter_unlist": ({"email": _ANE},),
    "operations_newsletter_webhooks": ({"secret": "local-development-only-webhook-secret"},),
    "operations_replay": ({"restored_from": "2026-11-02T03:00:00Z"},),
    "operations_find": (
        {"email": _ANE, "purpose": "The person called and knows no number."},
        {"user_id": "user-0001", "purpose": "The person called and knows no number."},
    ),
    "operations_view": ({"purpose": "The person asked by phone where the request stands."},),
    "operations_transfer": ({"transfer_url": "https://receiver.example/in"}, {"transfer_url": None}),
    "operations_notice": (
        {"recipient_id": "campaign_monitor", "right": "rectification", "state": "told"},
        {
            "recipient_id": "campaign_monitor",
            "right": "rectification",
            "state": "impossible",
            "why": "The company is closed.",
        },
    ),
    "operations_letter": ({"was_sent": False},),
    "operations_approve": ({"plan_digest": "0" * 64, "reason": "The records are all hers."},),
    "operations_refuse": (
        {
            "reason": "The invoices have to be kept.",
            "provision": "GDPR 17(3)(b)",
            "hint": "Ask again after five years.",
        },
    ),
    "operations_reread": ({"rights": ["objection"], "reason": "Read on the phone to the person."},),
    "operations_extend": ({"months": 2, "reason": "The records lie in many systems."},),
    "operations_ask": ({"kind": "clarification", "text": "Which of the two accounts do you mean?"},),
    "operations_note_answer": ({"text": "The first one."},),
    "operations_lift": (
        {"reason": "The address was checked and is right."},
        {"reason": "The address was checked and is right.", "lift_on": "2027-01-15"},
    ),
    "operations_hold": (
        {
            "kind": "email",
            "value": _ANE,
            "ground": "legal_claim",
            "reason": "A claim is being prepared.",
            "review_on": "2027-03-01",
        },
    ),
    "operations_release": ({"reason": "The claim was settled."},),
    "operations_resume_erasing": ({"reason": "The restored backup was in order."},),
    "operations_pause_erasing": ({"reason": "A restored backup is being looked at."},),
    "operations_pause_retention": ({"reason": "A period of the policy is being looked at."},),
    "operations_resume_retention": ({"reason": "The period is right."},),
}
