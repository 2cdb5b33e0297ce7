"""What to do where the processor's lists and our ledger say different things."""

import itertools

import pytest

from shared.domain.newsletters import Lists, MailingList, Verdict, compare

NEWS = "a" * 32


def verdict(state, **changes):
    """Return the verdict on an address that nothing else is known of."""
    calm = {"wanted": False, "changing": False, "joined_there": False, "known_before": True}
    return compare(state, **{**calm, **changes})


@pytest.mark.parametrize(
    ("state", "wanted", "found"),
    [
        ("Active", True, Verdict.AGREES),
        ("Active", False, Verdict.STOP_THERE),
        ("Unsubscribed", True, Verdict.LEFT_THERE),
        ("Unsubscribed", False, Verdict.AGREES),
        ("Deleted", True, Verdict.LEFT_THERE),
        ("Deleted", False, Verdict.AGREES),
        ("Bounced", True, Verdict.UNREACHABLE),
        ("Bounced", False, Verdict.AGREES),
        ("Unconfirmed", True, Verdict.AGREES),
        ("Unconfirmed", False, Verdict.AGREES),
        ("Spam", True, Verdict.UNKNOWN_STATE),
        (None, True, Verdict.LEFT_THERE),
        (None, False, Verdict.AGREES),
    ],
)
@pytest.mark.clause("4.8")
def test_both_sides_are_compared_as_they_stand(state, wanted, found):
    """A state nobody documented is for a person to look at."""
    assert verdict(state, wanted=wanted) is found


def test_somebody_who_never_was_there_is_added():
    """Whoever is gone from there has left."""
    assert verdict(None, wanted=True, known_before=False) is Verdict.ADD_THERE


def test_a_sign_up_there_is_a_consent_only_where_it_was_confirmed():
    """And only while nothing here says otherwise."""
    assert verdict("Active", joined_there=True) is Verdict.JOINED_THERE
    assert verdict("Active", joined_there=True, wanted=True) is Verdict.AGREES


def test_while_a_change_of_ours_is_on_its_way_nothing_is_concluded():
    """What is seen there is about to be over."""
    states = ("Active", "Unsubscribed", "Deleted", "Bounced", "Unconfirmed", "Other", None)
    for state, wanted, joined in itertools.product(states, (True, False), (True, False)):
        assert verdict(state, wanted=wanted, joined_there=joined, changing=True) is Verdict.AGREES


def test_a_list_is_found_whatever_the_case_of_its_id():
    """As the processor may write it."""
    lists = Lists([MailingList(list_id=NEWS.upper(), purpose_ids=("member_newsletter",))])
    assert lists.find(NEWS) is not None
    assert lists.find("c" * 32) is None


def test_a_purpose_has_lists_in_the_language_asked_for_or_in_any():
    """Who reads a language there is no list for gets the others."""
    danish = MailingList(list_id="1" * 32, purpose_ids=("member_newsletter",), language="da")
    english = MailingList(list_id="2" * 32, purpose_ids=("member_newsletter",), language="en")
    lists = Lists([danish, english])
    assert lists.of_purpose("member_newsletter", "da") == (danish,)
    assert lists.of_purpose("member_newsletter", "de") == (danish, english)
    assert lists.of_purpose("author_newsletter", "da") == ()
