"""Reads the data map from its YAML files and hands it out checked, or not at all."""

import functools
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.datamap.checks import check
from shared.datamap.decisions import Decisions, decisions_hold, own_data_decided, with_decisions
from shared.datamap.findings import Finding, field_name
from shared.datamap.models import NOT_STATED, Activity, DataMap, OwnData, Policy, PolicyVersion, Recipient
from shared.datamap.sources import Source, SourceError, parse
from shared.domain.errors import Invalid

POLICY_FILE = "policy.yaml"
RECIPIENTS_FILE = "recipients.yaml"
DECISIONS_FILE = "decisions.yaml"
OWN_DATA_FILE = "own_data.yaml"
_SINGLE = (POLICY_FILE, RECIPIENTS_FILE, DECISIONS_FILE, OWN_DATA_FILE)
_Model = TypeVar("_Model", bound=BaseModel)


_NONE_DECIDED = Decisions(activities=(), own_data=())


class _Recipients(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    recipients: tuple[Recipient, ...]


class _OwnData(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    own_data: tuple[OwnData, ...]


def load(directory: Path | None = None) -> DataMap:
    """Return the checked map of a directory, by default the packaged one.

    Every file of an activity is one `.yaml` beside `policy.yaml`, `recipients.yaml`, `own_data.yaml`
    and `decisions.yaml`;
    activities stand in the order of their first clause. Texts of the policy's versions stand in `policies`:
    of the package, or of the given directory. Repeat: the same map object, read once per process.

    Raises:
        Invalid: `datamap_invalid`; `detail` has one `file.yaml:LINE field: message` per line, all of them.
    """
    return _load(directory)


@functools.cache
def _load(directory: Path | None) -> DataMap:
    if directory is not None:
        return _Reading(directory, directory / "policies").datamap()
    packaged = resources.files(__package__)
    return _Reading(packaged / "maps", packaged / "policies").datamap()


class _Reading:
    """One pass over the files, gathering every problem before it gives up."""

    def __init__(self, directory: Traversable, texts: Traversable) -> None:
        self._directory = directory
        self._texts = texts
        self._problems: list[tuple[str, int, str, str]] = []
        self._sources: dict[tuple[str, str], Source] = {}

    def datamap(self) -> DataMap:
        names = self._names()
        policy = self._policy() if POLICY_FILE in names else None
        recipients = (
            self._model(RECIPIENTS_FILE, _Recipients, "recipients") if RECIPIENTS_FILE in names else None
        )
        decisions = self._model(DECISIONS_FILE, Decisions, "decisions") if DECISIONS_FILE in names else None
        own_data = self._model(OWN_DATA_FILE, _OwnData, "own_data") if OWN_DATA_FILE in names else None
        others = [name for name in names if name not in _SINGLE]
        found = [self._model(name, Activity, "activity") for name in others]
        activities = sorted((one for one in found if one), key=_place_in_policy)
        self._give_up_if_wrong()
        if policy is None or recipients is None or decisions is None or own_data is None:  # all were named
            raise AssertionError("a missing file was not reported")
        self._add(decisions_hold(activities, own_data.own_data, decisions))
        self._give_up_if_wrong()
        datamap = assemble(policy, activities, recipients.recipients, own_data.own_data, decisions)
        self._add(check(datamap))
        self._give_up_if_wrong()
        return datamap

    def _add(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            place = finding.place
            source = self._sources[place.kind, place.entry_id]
            line, _ = source.locate(place.way)
            self._problems.append((source.name, line, field_name(place.way), finding.message))

    def _names(self) -> list[str]:
        if not self._directory.is_dir():
            raise Invalid("datamap_invalid", "there is no directory of maps")
        names = sorted(entry.name for entry in self._directory.iterdir() if entry.name.endswith(".yaml"))
        for name in _SINGLE:
            if name not in names:
                self._problems.append((name, 1, "", "the file is missing"))
        return names

    def _policy(self) -> Policy | None:
        """Read the policy with the text of each version that has one."""
        policy = self._model(POLICY_FILE, Policy, "policy")
        if policy is None:
            return None
        versions = [self._with_text(index, version) for index, version in enumerate(policy.versions)]
        return policy.model_copy(update={"versions": tuple(versions)})

    def _with_text(self, index: int, version: PolicyVersion) -> PolicyVersion:
        if version.text == NOT_STATED:
            return version
        wrong = "the text is not the one with this sha256"
        try:
            content = (self._texts / version.text).read_bytes().decode()
            return PolicyVersion.model_validate({**version.model_dump(), "content": content})
        except FileNotFoundError:
            wrong = "there is no such text among the policies"
        except UnicodeDecodeError:
            wrong = "the text is not UTF-8"
        except ValidationError:
            pass
        line, way = self._sources["policy", ""].locate(("versions", index, "text"))
        self._problems.append((POLICY_FILE, line, field_name(way), wrong))
        return version

    def _model(self, name: str, model: type[_Model], kind: str) -> _Model | None:
        try:
            text = (self._directory / name).read_text(encoding="utf-8")
            source = parse(name, text)
        except UnicodeDecodeError:
            self._problems.append((name, 1, "", "not UTF-8"))
            return None
        except SourceError as error:
            self._problems.extend((name, *problem) for problem in error.problems)
            return None
        try:
            made = model.model_validate(source.values)
        except ValidationError as error:
            self._note(source, error)
            return None
        entry_id = made.id if isinstance(made, Activity) else ""
        earlier = self._sources.setdefault((kind, entry_id), source)
        if earlier is not source:
            line, _ = source.locate(("id",))
            self._problems.append((name, line, "id", f"{earlier.name} has the same id"))
            return None
        return made

    def _note(self, source: Source, error: ValidationError) -> None:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        for problem in problems:
            way = problem["loc"]
            if problem["type"] == "too_short" and any(
                len(other["loc"]) > len(way) and other["loc"][: len(way)] == way for other in problems
            ):
                continue  # its wrong items were left out before they were counted
            if problem["type"].startswith("union_tag"):
                way = (*way, "kind")
            line, found = source.locate(way)
            missing = problem["type"] in ("missing", "extra_forbidden") and found[-1:] != way[-1:]
            message = (
                f"{_decision_code(problem)}{problem['msg']}"
                if source.name == DECISIONS_FILE
                else problem["msg"]
            )
            self._problems.append(
                (source.name, line, field_name((*found, way[-1]) if missing else found), message)
            )

    def _give_up_if_wrong(self) -> None:
        if self._problems:
            unique = sorted(set(self._problems))
            lines = [
                f"{name}:{line} {field + ': ' if field else ''}{message}"
                for name, line, field, message in unique
            ]
            raise Invalid("datamap_invalid", "\n".join(lines))


def _decision_code(problem: Mapping[str, Any]) -> str:
    """Return the code of a fault in a decision, as the rules about decisions write theirs."""
    if problem["type"] == "missing" or problem["type"] == "string_too_short":
        return "decision_incomplete: "
    if problem["loc"][-1:] == ("period",):
        return "decision_period_unreadable: "
    return "decision_unreadable: "


def assemble(
    policy: Policy,
    activities: Iterable[Activity],
    recipients: Iterable[Recipient],
    own_data: Iterable[OwnData] = (),
    decisions: Decisions = _NONE_DECIDED,
) -> DataMap:
    """Return a map with the rules that decisions make and its digest; it is not checked."""
    decided, those = with_decisions(policy, activities, decisions.activities)
    unsigned = DataMap(
        policy=decided,
        activities=those,
        recipients=tuple(recipients),
        own_data=own_data_decided(own_data, decisions.own_data),
        digest="",
    )
    return unsigned.model_copy(update={"digest": _digest(unsigned)})


def _digest(datamap: DataMap) -> str:
    content: Any = datamap.model_dump(mode="json", exclude={"digest"})
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _place_in_policy(activity: Activity) -> tuple[list[int], str]:
    return [int(number) for number in re.findall(r"\d+", activity.clauses[0])], activity.id
