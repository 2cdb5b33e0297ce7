"""What is known of how long our own data stays: by a setting, by the code, by a decision, or not at all."""

from collections.abc import Iterable, Mapping

from shared.datamap.models import BuiltIn, OwnData, SetBy, UntilDone

OWN_RECORDS = "own_records"
"""The activity of the map that our own data about people belongs to."""


def period_of(one: OwnData, settings: Mapping[str, int]) -> str | None:
    """Return in words how long data of our own stays. None: nobody said.

    `settings`: days by the names of settings in capitals; a missing one, or 0, says nothing.
    """
    match one.kept:
        case SetBy(setting=name):
            days = settings.get(name, 0)
            return f"{days} days ({name})" if days > 0 else None
        case BuiltIn(days=days):
            return f"{days} days"
        case UntilDone(until=until):
            return f"until {until}"
        case _:
            decided = [f"{each.period} from {each.effective_from}" for each in one.decisions]
            return ", then ".join(decided) or None


def unsaid(own_data: Iterable[OwnData], settings: Mapping[str, int]) -> tuple[OwnData, ...]:
    """Return required own data of which nobody said how long it stays. Empty: production may be deployed."""
    return tuple(one for one in own_data if one.required and period_of(one, settings) is None)


def told_by(one: OwnData) -> str:
    """Return where to say how long data of our own stays."""
    return one.kept.setting if isinstance(one.kept, SetBy) else f"decisions.yaml, own_data: {one.id}"
