"""Why a request was put aside as needing attention: every code there is. A test holds it against the code."""

from collections.abc import Iterable

_STOPS = frozenset(
    {
        *("address_of_another", "erasing_paused", "fence_lost", "identifier_unreadable", "paused_by_staff"),
        *("plan_keeps_changing", "records_undecidable", "residue_left", "task_failed"),
        *("finish_poisoned", "letter_poisoned", "plan_poisoned", "task_poisoned"),
        *("transfer_answer_too_large", "transfer_certificate", "transfer_failed", "transfer_refused"),
        *("transfer_refused_address", "transfer_source_changed", "transfer_too_slow", "transfer_unreachable"),
        *("transfer_url_address", "transfer_url_fragment", "transfer_url_host", "transfer_url_invalid"),
        *("transfer_url_port", "transfer_url_scheme", "transfer_url_too_long", "transfer_url_userinfo"),
    }
)


def stops(kinds: Iterable[str]) -> tuple[str, ...]:
    """Return every code, in order, with those of a map that has these kinds of identifiers.

    `too_many_<kind>`: more of a kind were found than one person has.
    """
    return tuple(sorted(_STOPS | {f"too_many_{kind}" for kind in kinds}))
