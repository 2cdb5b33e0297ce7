"""What the map says about each clause of the policy, as the clause demands it."""

from datetime import date
from importlib.util import find_spec

import pytest
from pydantic import ValidationError

from devtools.datamap import open_points
from shared.datamap.checks import only_planned, planned, used_flags
from shared.datamap.models import (
    NOT_STATED,
    Activity,
    DataMap,
    OnErasure,
    Recipient,
    RetentionRule,
)
from shared.domain.periods import last_day_kept
from shared.domain.rights import Right

CLAUSES = [
    *("head", "1.1", "1.2", "1.3"),
    *(
        "2",
        "2.1",
        "2.1.1",
        "2.1.2",
        "2.2",
        "2.2.1",
        "2.2.2",
        "2.3",
        "2.3.1",
        "2.3.2",
        "2.4",
        "2.4.1",
        "2.4.2",
    ),
    *("3.1", "3.2", "3.3", "3.3.1"),
    *("4.1", "4.2", "4.2.1", "4.2.2", "4.3", "4.3.1", "4.4", "4.4.1", "4.5", "4.5.1", "4.6", "4.6.1"),
    *("4.7", "4.7.1", "4.7.2", "4.8", "4.8.1", "4.9", "4.9.1"),
    *("5.1", "5.2", "5.3", "5.4", "6.1", "6.2", "7.1", "7.2", "8.1", "9.1"),
]


def activity(datamap: DataMap, activity_id: str) -> Activity:
    return next(one for one in datamap.activities if one.id == activity_id)


def recipient(datamap: DataMap, recipient_id: str) -> Recipient:
    return next(one for one in datamap.recipients if one.id == recipient_id)


def rule(datamap: DataMap, rule_id: str) -> RetentionRule:
    return next(one for one in datamap.policy.retention_rules if one.id == rule_id)


def paths(datamap: DataMap, store_id: str) -> set[str]:
    return {field.path for field in datamap.store(store_id)[1].fields}


def purposes(one: Activity, clause: str) -> set[str]:
    return {purpose.id for purpose in one.purposes if purpose.clause == clause}


def test_every_clause_of_the_policy_is_in_the_map(datamap: DataMap) -> None:
    assert [clause.number for clause in datamap.policy.clauses] == CLAUSES


def test_every_module_a_clause_rests_on_exists(datamap: DataMap) -> None:
    modules = {
        met.removeprefix("module:")
        for clause in datamap.policy.clauses
        for met in clause.met_by
        if met.startswith("module:")
    }

    assert modules
    assert [name for name in sorted(modules) if find_spec(name) is None] == []


def test_rights_a_clause_rests_on_are_carried_out(datamap: DataMap) -> None:
    rights = {
        met.removeprefix("right:")
        for clause in datamap.policy.clauses
        for met in clause.met_by
        if met.startswith("right:")
    }

    assert rights == {right.value for right in frozenset(Right)}


def test_what_is_only_planned_stands_among_the_open_points(datamap: DataMap) -> None:
    places = [place for place, sentence in open_points(datamap) if sentence.startswith("Not built yet")]

    assert places == [f"clause {number}" for number in planned(datamap)]
    assert only_planned(datamap) <= set(planned(datamap))


def test_first_version_is_the_one_of_28_may_2018_with_its_gap_shown(datamap: DataMap) -> None:
    (version,) = datamap.policy.versions

    assert version.valid_from == date(2018, 5, 28)
    assert "gap_before_first_version" in version.flags


@pytest.mark.clause("5.2")
@pytest.mark.parametrize("period", ["P1Y", "P2Y", "P5Y", ""])
def test_no_period_is_built_in_for_what_proves_an_ended_consent(datamap, period):
    """It goes with the sign-up; a period that nothing here would keep is refused."""
    policy = datamap.policy
    assert policy.consent_proof_after_end == NOT_STATED
    with pytest.raises(ValidationError):
        type(policy).model_validate({**policy.model_dump(), "consent_proof_after_end": period})


@pytest.mark.clause("1.1")
def test_people_and_not_companies_are_the_data_subjects(datamap: DataMap) -> None:
    types = {kind for one in datamap.activities for kind in one.subject_types}

    assert {"author", "member", "cloud_user", "licence_contact", "shipment_addressee"} <= types
    assert "customer" not in types


@pytest.mark.clause("1.2")
def test_activity_with_values_from_a_customer_owes_an_article_14_notice(datamap: DataMap) -> None:
    supplied = {
        one.id
        for one, store in datamap.stores()
        for field in store.fields
        if field.source == "customer" and field.about == "subject"
    }

    assert supplied == {one.id for one in datamap.activities if "art14_notice" in one.flags}


@pytest.mark.clause("1.3")
def test_we_are_controller_of_everything_and_contested_in_two(datamap: DataMap) -> None:
    assert {one.role for one in datamap.activities} == {"controller"}
    assert {one.id for one in datamap.activities if one.role_contested} == {"usage", "content_cloud"}


@pytest.mark.clause("2")
def test_map_holds_what_a_record_of_processing_needs(datamap: DataMap) -> None:
    for one in datamap.activities:
        assert one.purposes, one.id
        assert one.subject_types, one.id
        assert one.recipients, one.id
        assert one.retention.criteria.en, one.id
        assert any(field.category for store in one.stores for field in store.fields), one.id


@pytest.mark.clause("2.1")
def test_telemetry_names_person_installation_device_and_network(datamap: DataMap) -> None:
    assert paths(datamap, "usage_events") >= {
        "/user_id",
        "/installation_id",
        "/device_id",
        "/browser",
        "/ip",
        "/network_location",
        "/kind",
        "/feature",
    }
    assert "eprivacy_check_open" in activity(datamap, "usage").flags


@pytest.mark.clause("2.1.1")
def test_telemetry_has_five_purposes_that_can_be_stopped_alone(datamap: DataMap) -> None:
    assert purposes(activity(datamap, "usage"), "2.1.1") == {
        "user_experience",
        "completion_tracking",
        "content_user_identity",
        "licence_compliance",
        "customer_analysis",
    }


@pytest.mark.clause("2.1.2")
def test_telemetry_rests_on_letter_f_and_lacks_its_balancing(datamap: DataMap) -> None:
    usage = activity(datamap, "usage")

    assert usage.legal_basis.stated == usage.legal_basis.supported == ("f",)
    assert usage.legal_basis.interest == NOT_STATED
    assert "balancing_missing" in usage.flags


@pytest.mark.clause("2.2")
def test_content_cloud_names_courses_reading_and_place_without_a_period(datamap: DataMap) -> None:
    assert paths(datamap, "cloud_activity") >= {"/course", "/seconds_read", "/ip", "/location"}
    assert activity(datamap, "content_cloud").retention.rule == NOT_STATED


@pytest.mark.clause("2.2.1")
def test_customer_is_a_recipient_of_reports_and_each_is_a_disclosure(datamap: DataMap) -> None:
    cloud = activity(datamap, "content_cloud")

    assert recipient(datamap, "customer").kind == "customer"
    assert "customer" in cloud.recipients
    assert "employee_monitoring" in cloud.flags
    assert paths(datamap, "disclosures") >= {"/recipient", "/fields", "/disclosed_at", "/purpose"}


@pytest.mark.clause("2.2.2")
def test_letter_c_is_stated_and_not_supported(datamap: DataMap) -> None:
    cloud = activity(datamap, "content_cloud")

    assert cloud.legal_basis.stated == ("c", "f")
    assert cloud.legal_basis.supported == ("f",)
    assert "basis_unsupported:c" in cloud.flags


@pytest.mark.clause("2.2.2")
def test_every_stated_letter_that_is_not_supported_is_flagged(datamap: DataMap) -> None:
    for one in datamap.activities:
        unsupported = {f"basis_unsupported:{letter}" for letter in one.legal_basis.stated}
        unsupported -= {f"basis_unsupported:{letter}" for letter in one.legal_basis.supported}
        flagged = {flag for flag in one.flags if flag.startswith("basis_unsupported:")}
        assert flagged == unsupported, one.id


@pytest.mark.clause("2.3")
def test_authors_are_stored_with_their_behaviour_without_a_period(datamap: DataMap) -> None:
    assert paths(datamap, "authors") >= {"/email", "/name"}
    assert paths(datamap, "author_behaviour") >= {"/topic", "/page", "/at"}
    assert activity(datamap, "authors").retention.rule == NOT_STATED


@pytest.mark.clause("2.3.1")
def test_support_streamlining_and_newsletter_of_authors_are_separate(datamap: DataMap) -> None:
    assert purposes(activity(datamap, "authors"), "2.3.1") == {"proactive_support", "streamlining"}
    assert purposes(activity(datamap, "newsletter"), "2.3.1") == {"author_newsletter"}


@pytest.mark.clause("2.3.2")
def test_author_data_rests_on_letter_f_and_cannot_be_taken_along(datamap: DataMap) -> None:
    authors = activity(datamap, "authors")

    assert authors.legal_basis.supported == ("f",)
    assert not authors.portability.applies


@pytest.mark.clause("2.4")
def test_link_to_product_use_is_a_record_of_its_own_that_goes(datamap: DataMap) -> None:
    _, link = datamap.store("usage_links")

    assert {field.identifier for field in link.fields} >= {"member_id", "user_id"}
    assert all(field.keep is None for field in link.fields)
    assert activity(datamap, "members").profiling is not None


@pytest.mark.clause("2.4.1")
def test_membership_has_five_purposes_with_the_newsletter(datamap: DataMap) -> None:
    assert purposes(activity(datamap, "members"), "2.4.1") == {
        "membership",
        "member_services",
        "member_benefits",
        "targeted_marketing",
    }
    assert purposes(activity(datamap, "newsletter"), "2.4.1") == {"member_newsletter"}


@pytest.mark.clause("2.4.2")
def test_electronic_marketing_rests_on_consent_the_text_does_not_name(datamap: DataMap) -> None:
    members, newsletter = activity(datamap, "members"), activity(datamap, "newsletter")

    assert members.legal_basis.stated == ("b", "f")
    assert members.legal_basis.supported == ("b", "f", "a")
    assert newsletter.legal_basis.supported == ("a",)
    assert "consent_missing_in_text" in members.flags


@pytest.mark.clause("3.1")
def test_carriers_are_controllers_of_their_own(datamap: DataMap) -> None:
    orders = activity(datamap, "orders")

    assert {"postnord", "dhl", "ups", "gls"} <= set(orders.recipients)
    assert {recipient(datamap, name).kind for name in ("postnord", "dhl", "ups", "gls")} == {"controller"}
    assert orders.retention.rule == NOT_STATED
    assert paths(datamap, "disclosures") >= {
        "/recipient",
        "/disclosed_at",
        "/fields",
        "/reference",
        "/purpose",
    }


@pytest.mark.clause("3.2")
def test_processor_without_a_contract_is_flagged_and_so_is_one_without_a_name(datamap: DataMap) -> None:
    for one in datamap.recipients:
        assert ("contract_missing" in one.flags) == (
            one.kind == "processor" and one.contract_ref == NOT_STATED
        ), one.id
        assert ("recipient_unnamed" in one.flags) == (one.name == NOT_STATED), one.id
    assert {one.clause for one in datamap.recipients if one.kind == "processor"} == {"3.2"}


@pytest.mark.clause("3.3")
def test_transfer_has_no_mechanism_after_the_shield_fell(datamap: DataMap) -> None:
    transfers = recipient(datamap, "google_analytics").transfers

    def mechanism(day: date) -> str:
        (found,) = [
            one.mechanism
            for one in transfers
            if (one.valid_from is None or one.valid_from <= day)
            and (one.valid_to is None or day <= one.valid_to)
        ]
        return found

    assert mechanism(date(2020, 7, 15)) == "privacy_shield"
    assert mechanism(date(2020, 7, 16)) == NOT_STATED
    assert mechanism(date(2023, 7, 9)) == NOT_STATED
    assert mechanism(date(2023, 7, 10)) == NOT_STATED  # nobody recorded that the importer is certified
    assert mechanism(date(2026, 11, 1)) == NOT_STATED


@pytest.mark.clause("4.6.1")
def test_portability_follows_from_contract_or_consent(datamap: DataMap) -> None:
    takes_along = {one.id for one in datamap.activities if one.portability.applies}

    assert takes_along == {"members", "newsletter", "orders"}
    for one in datamap.activities:
        if one.portability.applies:
            assert {"a", "b"} & set(one.legal_basis.supported), one.id
            assert any(field.portable for store in one.stores for field in store.fields), one.id


@pytest.mark.clause("4.6.1")
def test_login_history_can_be_taken_along_and_what_was_derived_cannot(datamap: DataMap) -> None:
    portable = {
        field.path
        for store in activity(datamap, "members").stores
        for field in store.fields
        if field.portable
    }

    assert "/last_login_at" in portable
    assert not any(field.portable for field in datamap.store("usage_links")[1].fields)


@pytest.mark.clause("5.1")
def test_telemetry_goes_the_day_after_a_calendar_year_without_use(datamap: DataMap) -> None:
    one_year = rule(datamap, "R1")

    assert activity(datamap, "usage").retention.rule == "R1"
    assert (one_year.trigger, one_year.period) == ("last_use", "P1Y")
    assert last_day_kept(date(2028, 2, 29), "P1Y") == date(2029, 2, 28)
    assert one_year.reset_by is not None
    assert "storage_limitation" in activity(datamap, "usage").flags


@pytest.mark.clause("5.2")
def test_sign_up_goes_at_once_when_consent_is_withdrawn(datamap: DataMap) -> None:
    at_once = rule(datamap, "R2")

    assert activity(datamap, "newsletter").retention.rule == "R2"
    assert (at_once.trigger, at_once.period) == ("withdrawal", None)
    assert all(field.keep is None for field in datamap.store("newsletter_signups")[1].fields)


@pytest.mark.clause("5.3")
def test_licence_data_goes_five_years_after_maintenance_and_is_not_held_by_itself(datamap: DataMap) -> None:
    five_years = rule(datamap, "R3")

    assert activity(datamap, "licences").retention.rule == "R3"
    assert (five_years.trigger, five_years.period) == ("maintenance_end", "P5Y")
    assert {field.on_erasure for field in datamap.store("licences")[1].fields} == {OnErasure.ERASE}
    assert "hold_not_automatic" in activity(datamap, "licences").flags


@pytest.mark.clause("5.4")
def test_membership_has_three_clocks(datamap: DataMap) -> None:
    retention = activity(datamap, "members").retention

    assert (retention.rule, *retention.further_rules) == ("R4a", "R4b", "R4c")
    assert [(rule(datamap, name).trigger, rule(datamap, name).period) for name in ("R4a", "R4b", "R4c")] == [
        ("last_login", "P3Y"),
        ("suspension", "P3Y"),
        ("revocation", None),
    ]


@pytest.mark.clause("5.3", "5.4", "5.1", "5.2")
def test_no_period_stands_where_the_policy_states_none(datamap: DataMap) -> None:
    silent = {one.id for one in datamap.activities if one.retention.rule == NOT_STATED}

    assert silent == {"content_cloud", "authors", "orders", "own_records"}
    assert {one.clause for one in datamap.policy.retention_rules} == {"5.1", "5.2", "5.3", "5.4"}


def test_every_flag_is_used_and_explained(datamap: DataMap) -> None:
    used = {flag for owner in (*datamap.activities, *datamap.recipients) for flag in used_flags(owner)}
    used |= {flag for version in datamap.policy.versions for flag in version.flags}

    assert used == set(datamap.policy.flag_meanings)


def test_every_category_is_used(datamap: DataMap) -> None:
    used = {field.category for _, store in datamap.stores() for field in store.fields}

    assert used == set(datamap.policy.categories)
