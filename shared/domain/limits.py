"""The numbers that bound the work and the waiting. Units are in the names."""

from dataclasses import dataclass

from shared.domain.quiet_hours import QuietHours


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of one message's work, life of links, and how patient the machinery is."""

    verification_days: int = 7  # an unconfirmed request is forgotten after this
    package_days: int = 14  # a finished copy is deleted after this
    download_minutes: int = 5  # life of the storage link behind the download button
    page_documents: int = 1_000  # documents looked at between two saves
    page_keys: int = 2_000  # as those, where their ids and ETags are enough
    read_bytes: int = 4 * 1024 * 1024  # of a shared blob held in memory at once
    message_seconds: float = 20.0  # a message stops and sends itself again after this
    message_documents: int = 5_000  # or after this many documents
    lease_seconds: int = 300  # a claim nobody renewed is free after this
    wake_seconds: int = 330  # what was saved and not sent is sent again after this; longer than a lease
    fence_retry_seconds: int = 5  # doubled at each try, up to wake_seconds
    grace_seconds: int = 0  # between a plan and its execution, to cancel
    lanes: int = 4  # messages of one request at work at the same time
    alarm_repeat_seconds: int = 86_400  # an alarm nobody answered is raised again
    due_soon_days: int = 7  # before its legal day a request is called due soon
    blobs_per_page: int = 100  # blob names listed at once
    look_rounds: int = 3  # erase again and look again before a person must
    replans: int = 5  # new plans before a person must look
    requests_per_address_hour: int = 5
    requests_per_client_hour: int = 30
    letter_settle_seconds: int = 900  # then a mail that went out is seen to be; a lease, a call and the delay
    letter_attempts: int = 3  # unknown outcomes before an operator must look; refusals between two alarms
    sweep_requests: int = 200  # requests one sweep takes up
    mass_records: int = 10_000  # an erasure of more needs two approvers
    erasures_per_hour: int = 200  # begun in one hour; one more throws the switch that stops them all
    events_asked_seconds: int = 900  # scheduled deletion that comes later than this asks single events again
    fresh_seconds: int = 60  # what scheduled deletion found out when it filed a case need not be asked again
    case_people: int = 20  # whose data scheduled deletion puts into one case
    deletions_per_hour: int = 100  # people, filed by retention or after a restore; the next hour goes on
    standing_review_days: int = 90  # a restriction or an open notice is called to mind again after this
    hold_review_days: int = 366  # between today and the day a hold is reviewed, at most
    notice_days: int = 7  # after these a recipient whom staff have to tell is called to mind, day by day
    confirm_days: int = 14  # a recipient that was told by mail is called to mind after these
    ask_within_working_days: int = 3  # a question later than this after receipt pauses nothing
    cleanup_seconds: int = 3_600  # a worker that was still writing a copy when its request closed has ended
    wrong_secrets_per_client_hour: int = 20  # of the webhooks' door
    newsletter_link_days: int = 730  # life of the links to leave and to choose
    newsletter_attempts: int = 6  # calls about one address in one list before staff are told
    newsletter_settle_seconds: int = 15  # before an addition is looked for; doubled at each try
    webhook_body_days: int = 30  # a body that staff have to look at goes after this
    membership_warning_days: int = 0  # before it ends by time a member is told; 0: nobody is
    retention_settle_seconds: int = 4 * 3_600  # from its start a run waits for its cases, to count them
    retention_doubt_reminder_days: int = 7  # staff are told again of records that nobody repaired
    retention_units_per_second: int = (
        0  # of each container, for scheduled deletion by all workers; 0: no budget
    )
    retention_requests_per_second: int = 0  # as those
    retention_quiet_hours: QuietHours | None = None  # in which scheduled deletion rests; None: never
    answer_days: int = 60  # life of the link in a question's letter
    lifting_notice_days: int = 7  # between the notice that a restriction ends and its end
