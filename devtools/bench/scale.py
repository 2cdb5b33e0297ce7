"""How much data a run of the benchmarks uses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Sizes of one run. Documents are counts; `rounds` are repetitions whose median counts."""

    name: str
    erase_documents: int
    erase_rounds: int
    access_documents: tuple[int, int]
    others_documents: tuple[int, int]
    people: int
    burst: int
    import_rounds: int
    decisions: int
    decision_rounds: int
    webhook_bodies: int
    webhook_rounds: int
    webhook_people: int
    retention_people: int
    retention_documents: int  # of each
    retention_rounds: int


SCALES = {
    "full": Scale(
        name="full",
        erase_documents=10_000,
        erase_rounds=5,
        access_documents=(1_000, 50_000),
        others_documents=(10_000, 200_000),
        people=2_000,
        burst=30,
        import_rounds=9,
        decisions=2_000,
        decision_rounds=5,
        webhook_bodies=40,
        webhook_rounds=5,
        webhook_people=300,
        retention_people=100,
        retention_documents=1_000,
        retention_rounds=3,
    ),
    "small": Scale(
        name="small",
        erase_documents=1_000,
        erase_rounds=1,
        access_documents=(200, 2_000),
        others_documents=(1_000, 5_000),
        people=60,
        burst=10,
        import_rounds=3,
        decisions=300,
        decision_rounds=3,
        webhook_bodies=10,
        webhook_rounds=3,
        webhook_people=50,
        retention_people=40,
        retention_documents=50,
        retention_rounds=1,
    ),
}
