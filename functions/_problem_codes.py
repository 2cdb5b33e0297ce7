"""Every code a problem may carry, by its kind, with a sentence for whoever has to do something about it.

A code is part of the interface: it keeps its meaning and is never used for another. A test holds this list
against what the code raises.
"""

from collections.abc import Mapping

from functions._statuses import status_of
from shared.domain.errors import (
    CannotTell,
    ComplianceError,
    Conflict,
    Invalid,
    NotAllowed,
    NotFound,
    Permanent,
    Retryable,
)

CODES: Mapping[type[ComplianceError], Mapping[str, str]] = {
    Invalid: {
        "activity_unknown": "Name activities or purposes of the data map.",
        "answer_missing": "Write the answer.",
        "answer_too_long": "Shorten the answer.",
        "attention_unknown": "Name a reason for which requests are put aside; the detail lists them.",
        "as_of_out_of_range": "Name a day from today on, at most ten years ahead.",
        "body_invalid": "The body cannot be read as what its media type says, or it is no object.",
        "body_missing": "Send a body, with a Content-Length: a chunked one does not arrive.",
        "body_too_large": "Send less; the detail says how much.",
        "callback_not_listed": "Name a host that is on the list of your platform.",
        "channel_unfit": "This channel is not one that staff can enter a request for.",
        "consent_missing": "Send the box as the person ticked it, and that it was empty before.",
        "correction_empty": "Give every fact that is to be corrected its right value.",
        "correction_missing": "Say what is wrong: in `corrections`, or in `message`.",
        "cursor_invalid": "Send the cursor of the page before, as you were given it.",
        "customer_name_unfit": "Give the plain name: letters, digits, spaces and `.,&'-/`, and no link.",
        "datamap_invalid": "The data map breaks one of its rules; it is for whoever installs the app.",
        "email_invalid": "Give one plain e-mail address.",
        "event_type_unknown": "The newsletter processor told of something that is not documented.",
        "event_unreadable": "An event of the newsletter processor cannot be read; look at its body.",
        "exception_unproven": "Without the offer to refuse, or for other goods, ask for a consent.",
        "extension_months": "Extend by one or two months.",
        "extension_reason_missing": "Say why more time is needed.",
        "fact_unknown": "Correct facts that the data map names; the answer lists them.",
        "field_invalid": "The value of `field` is none that may stand there; the detail says what may.",
        "field_not_mapped": "Name fields by their path in the data map, as the purpose's activity has them.",
        "field_missing": "A field has to be sent; the detail names it.",
        "field_unknown": "Leave `field` out: there is none of that name; the detail lists those there are.",
        "given_at_invalid": "Send the moment of the opt-in; it does not lie ahead.",
        "ground_missing": "Give a restriction its ground: `accuracy`, `unlawful` or `claims`.",
        "hold_ground_unfit": "This ground cannot be used for this hold.",
        "hold_reason_missing": "Say why the hold is needed.",
        "hold_reason_too_long": "Shorten the reason.",
        "hold_review_far": "Set an earlier day of review; the detail says how far ahead it may lie.",
        "hold_review_past": "Set a day of review that lies ahead.",
        "idempotency_key_too_long": "Send a key of at most 200 characters.",
        "identifier_invalid": "Send a value of 1 to 254 characters.",
        "identifier_missing": "Send `identifier` or `identifiers`, not both.",
        "identifier_shared": "Name an identifier that is one person's own.",
        "identifier_unknown": "Name a kind of identifier that the data map has.",
        "identifiers_missing": "Send at least one identifier.",
        "identity_not_single": "Send one identity of a type.",
        "identity_unsupported": "Send identities of a type that the discovery names.",
        "language_unknown": "Choose `en` or `da`.",
        "lift_on_past": "Set a day that lies ahead.",
        "media_type": "Send `application/json`, or `application/x-www-form-urlencoded`.",
        "operation_unknown": "Name an operation from the list.",
        "pace_impossible": "A forecast needs a pace above zero.",
        "person_not_named": "Name the person by `email` or by `user_id`, one of them.",
        "person_missing": "Name the address of the person that a representative acts for.",
        "person_unclear": "Name one person: the identifiers lead to none, or to several.",
        "person_unfit": "Only a representative names another person's address.",
        "policy_version_not_in_force": "This version begins on a later day.",
        "policy_version_unknown": "Name a version of the policy that there is.",
        "provision_missing": "Name the provision a decision rests on.",
        "provision_too_long": "Shorten the provision.",
        "pseudonym_key_short": "The key of the pseudonyms is too short; it is for whoever installs the app.",
        "purpose_missing": "Say what the look-up is for.",
        "purpose_too_long": "Shorten the purpose.",
        "purpose_unknown": "Name a purpose of the data map.",
        "purpose_without_consent": "Name a purpose that rests on consent.",
        "question_missing": "Write the question.",
        "question_too_long": "Shorten the question.",
        "reason_missing": "Give a reason.",
        "reason_too_long": "Shorten the reason.",
        "recipient_unknown": "Name a recipient of the data map; who receives data is entered there first.",
        "received_impossible": "Give a day of receipt that the calendar knows.",
        "received_in_future": "Give a day of receipt that is not ahead of today.",
        "right_ambiguous": "Send `right` or `rights`, not both.",
        "right_unknown": "Name rights from the list, or write a message.",
        "rights_answered": "The rights of this request are answered already.",
        "rights_missing": "Name at least one right.",
        "submitted_time_invalid": "Send the moment of filing; it does not lie ahead.",
        "text_too_long": "Shorten `field`.",
        "too_many": "Send fewer values in `field`.",
        "transfer_url_address": "Name an address that is public.",
        "transfer_url_fragment": "Leave the part after `#` out.",
        "transfer_url_host": "Name a public host.",
        "transfer_url_invalid": "Give one URL.",
        "transfer_url_port": "Use port 443.",
        "transfer_url_scheme": "Begin with `https://`.",
        "transfer_url_too_long": "Shorten the URL.",
        "transfer_url_userinfo": "Leave the part before `@` out.",
        "value_invalid": "Name the person by a user id or an address.",
        "why_missing": "Say why.",
        "why_too_long": "Shorten the reason.",
        "wish_unfit": "`field` belongs to a right that is not asked for.",
        "webhook_secret_unknown": "Put the hash of the secret into the settings first.",
        "webhook_unreadable": "A body of the newsletter processor cannot be read; it is kept.",
    },
    NotAllowed: {
        "callback_not_listed": "The host of the callback is not on the list any more.",
        "certificate_untrusted": "The certificate is not one that is trusted here.",
        "complaint_is_the_persons": "Only the person complains; point the person to us.",
        "consent_is_the_persons": "Only the person withdraws a consent; point the person to us.",
        "copy_is_the_persons": "Only the person gets this copy; point the person to us.",
        "customer_not_theirs": "Your account does not act for this customer: give the id of yours.",
        "extended_already": "A request is extended once, and this one was: answer by the day that stands.",
        "extension_too_late": "The day to tell of an extension is over.",
        "four_eyes": "Somebody else has to approve this as well.",
        "identity_not_open": "The request does not wait for somebody to be identified.",
        "joined_to_wider": "It became part of a request that asks for more; cancel that one by its own link.",
        "key_invalid": "Send the key of your platform as `x-opendsr-key`.",
        "letter_not_in_doubt": "It is known what became of this letter.",
        "letter_under_way": "The letter is being sent; look again later.",
        "mandate_missing": "Say what mandate the one who asks has.",
        "meaning_known": "What the person wants is known already: there is nothing to read.",
        "meaning_unknown": "The person wrote in own words: say first what they mean with `reread`.",
        "no_decision_needed": "Nothing waits for a decision here: the plan runs already, or needs none.",
        "no_open_notice": "Nobody waits for this notice.",
        "no_question_open": "There is no open question, or it was answered.",
        "no_transfer_stopped": "No transfer of this request was stopped.",
        "not_allowed": "The person has this right; point the person to us.",
        "not_pausable": "There is no work to stop: it is closed, answered, not confirmed or waits already.",
        "lifting_announced": "The end of this restriction is announced already; that reason and day stay.",
        "not_restricted": "There is no such restriction.",
        "not_stopped": "The request was not stopped: there is nothing to take up again.",
        "not_theirs": "The right is another's than the requester's: refuse it, and act on the hint.",
        "nothing_to_refuse": "Only what waits for a decision, or stopped, is refused: look at its state.",
        "plan_changed": "Read the plan again: it is another one by now.",
        "processor_not_listed": "The processor is not on the list.",
        "question_open": "A question to the person is open: note its answer, or wait for it.",
        "request_closed": "The request is closed.",
        "role_missing": "Your account lacks the role that this needs.",
        "scope_not_theirs": "A customer asks for its own installation only.",
        "signature_invalid": "The signature does not fit what was signed.",
        "staff_not_configured": "Signing in of staff is not set up in this installation.",
        "staff_token_expired": "Sign in again: the token is too old.",
        "staff_token_invalid": "The token is not one this API takes.",
        "staff_token_missing": "Sign in, and send the token as a bearer.",
        "switch_is_no_hold": "The switch is set by its own door.",
        "system_key_not_configured": "This door is not open: an operator sets the key first.",
        "system_key_wrong": "Send the key of your system as `x-system-key`.",
        "token_expired": "The link is too old; file the request again.",
        "token_invalid": "The link is not complete or not ours; open it again from the mail.",
        "too_late": "Erasing began, or the answer is out.",
        "too_many_questions": "No more questions may be asked about this request.",
        "too_many_requests": "Wait as long as `Retry-After` says.",
        "transfer_refused_address": "The receiver's name leads to an address that is not public.",
    },
    NotFound: {
        "hold_unknown": "There is no such hold.",
        "letter_unknown": "There is no such letter.",
        "not_found": "There is no such thing.",
        "opendsr_not_configured": "OpenDSR is not set up in this installation.",
        "package_gone": "The copy was deleted, or its time is up; ask for a new one.",
        "policy_text_missing": "The text of this version was never entered.",
        "policy_version_unknown": "There is no such version, or none in this language.",
        "quarantine_gone": "Somebody else took up the message that was kept.",
        "queue_unknown": "There is no such queue.",
        "request_unknown": "There is no such request.",
        "reconciliation_unknown": "There is no such comparison.",
        "run_unknown": "There was no run on this day; the days of those there were are in the list of runs.",
        "sign_up_unknown": "There is no such sign-up, or it has ended; nothing may be sent.",
        "webhook_unknown": "Nothing is told to us here.",
    },
    Conflict: {
        "blocks_lost": "Somebody else wrote the same file; try again.",
        "changed_meanwhile": "Somebody else changed it first; read it again, and decide again.",
        "controls_busy": "Somebody else works on the same person; try again.",
        "decided_already": "This was decided already, and that decision stands; read the case.",
        "idempotency_key_reused": "Send another key: this one came with another body for the same address.",
        "mark_missing": "A marking went away meanwhile; try again.",
        "not_pending": "The work has begun, or it is over.",
        "parts_gone": "Parts of a copy went away meanwhile; it is collected again.",
        "subject_request_id_used": "Use an id that was not used before.",
        "transition_forbidden": "The request is in a state that does not allow this; read it again.",
        "webhook_test_failed": "The newsletter processor cannot reach this door; see to that, and try again.",
    },
    Retryable: {
        "blob_busy": "A file is in use.",
        "case_at_work": "A case is at work in another place at this moment.",
        "letter_claim_late": "Another worker holds the letter.",
        "mail_not_accepted": "The mail service did not take a letter.",
        "mail_outcome_unknown": "Nobody knows whether a letter went out; it is found out before another try.",
        "mail_unreachable": "The mail service does not answer.",
        "processor_unconfirmed": "A processor has not confirmed yet.",
        "processor_unreadable": "A processor's answer is half of one.",
        "processor_unreachable": "A processor does not answer.",
        "service_busy": "A store has too much to do.",
        "service_unreachable": "A store does not answer.",
        "staff_keys_unavailable": "The keys that tokens are checked with cannot be fetched.",
        "transfer_unreachable": "The receiver of a copy does not answer.",
    },
    Permanent: {
        "reconciliation_incomplete": "A listing of the newsletter processor could not be read before.",
        "newsletter_list_unknown": "A mailing list left the settings while work about it was open.",
        "newsletter_add_refused": "The newsletter processor does not take an address; see to it there.",
        "newsletter_left_unclear": "Whether somebody left there before or after signing up cannot be told.",
        "newsletter_not_shown": "The newsletter processor took an address and does not show it.",
        "retention_late": "Scheduled deletion has not run for two days, or does not end; see its log.",
        "retention_rule_gone": "The data map lost a rule while a run went by it.",
        "retention_rule_unfit": "A rule without a period does not say which state ends it.",
        "address_missing": "A letter has no address to go to.",
        "address_unusable": "No mail can be sent to an address.",
        "blob_archived": "A file lies in the archive tier, from which nothing is read.",
        "blob_locked": "A file may not be changed.",
        "contacts_incomplete": "Contacts that every letter needs are not set; the detail names the settings.",
        "contract_missing": "A processor's API is not as its contract says.",
        "correction_empty": "A correction tells a processor nothing.",
        "datamap_invalid": "The data map breaks one of its rules; it is for whoever installs the app.",
        "document_unreadable": "A document of our own cannot be read.",
        "internal_error": "An error nobody foresaw; its place is in the log.",
        "ledger_not_documents": "The data map keeps the ledger of recipients where it cannot be kept.",
        "mail_refused": "The mail service refused a letter.",
        "message_unreadable": "A queue message cannot be read.",
        "opendsr_not_configured": "A callback is due and OpenDSR is not set up in this installation.",
        "processor_not_connected": "The app holds no access to a processor.",
        "processor_refused": "A processor refused what it was told.",
        "service_refused": "A store refused; most likely a role or a setting is wrong.",
        "settings_invalid": "Settings are missing or wrong; the detail names them.",
        "transfer_answer_too_large": "The receiver of a copy answers without end.",
        "transfer_certificate": "The receiver of a copy could not prove its name.",
        "transfer_refused": "The receiver of a copy refused it.",
        "transfer_source_changed": "The copy changed while it was sent.",
        "transfer_too_slow": "The receiver of a copy is too slow.",
        "activity_without_rule": "The data map has no rule that clocks of last use are for.",
        "walk_not_documents": "The data map has a walk over what are no documents.",
    },
    CannotTell: {
        "run_unreadable": "A run of scheduled deletion was saved and cannot be found.",
        "document_unreadable": "A document of our own cannot be read.",
        "line_too_long": "A line of a log is too long to be judged.",
        "processor_not_asked": "A processor could not be asked about a person.",
        "processor_unreadable": "A processor's answer cannot be read.",
        "record_of_nobody": "A record was found that belongs to none of the people asked about.",
        "proof_unreadable": "A proof that was kept cannot be read.",
        "quarantine_unreadable": "What was kept aside is no message of ours.",
        "sent_items_unreadable": "It cannot be seen whether a letter was sent.",
    },
}
"""Kind to code to sentence."""

OF_A_BODY = (
    *("body_invalid", "body_missing", "body_too_large", "media_type"),
    *("field_invalid", "field_missing", "field_unknown", "text_too_long", "too_many"),
)
"""What any door may answer that reads a body."""

OF_A_QUERY = ("field_invalid", "field_missing", "field_unknown", "text_too_long", "too_many")
"""What any door may answer that reads a query or headers."""

OF_GUARD: Mapping[str, tuple[str, ...]] = {
    "token": ("token_expired", "token_invalid"),
    "system": ("system_key_not_configured", "system_key_wrong"),
    "staff": (
        *("staff_token_missing", "staff_token_invalid", "staff_token_expired"),
        *("role_missing", "staff_not_configured", "media_type"),
    ),
}
"""What any door may answer that has this guard."""


def sentence(code: str) -> str:
    """Return what a code means.

    Raises:
        KeyError: it is not in the list.
    """
    return next((codes[code] for codes in CODES.values() if code in codes), None) or _unlisted(code)


def statuses(code: str) -> frozenset[int]:
    """Return the statuses a code is answered with. Empty: it is not in the list."""
    return frozenset(status_of(kind, code) for kind, codes in CODES.items() if code in codes)


def codes_of(status: int) -> tuple[str, ...]:
    """Return the codes a status may come with, in order."""
    return tuple(
        sorted(code for kind, codes in CODES.items() for code in codes if status_of(kind, code) == status)
    )


def _unlisted(code: str) -> str:
    raise KeyError(code)
