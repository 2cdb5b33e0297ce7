"""A copy of the real maps that a test may spoil."""

import shutil
from importlib import resources
from pathlib import Path

import pytest

from shared.datamap.loader import load
from shared.datamap.models import DataMap
from shared.domain.errors import Invalid


class Spoilt:
    """The packaged maps in a directory of their own, with what a test changed in them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def replace(self, file: str, old: str, new: str, *, after: str = "") -> int:
        """Replace the first `old` behind `after`, and return the line it stands on."""
        path = self.directory / file
        text = path.read_text(encoding="utf-8")
        start = text.index(old, text.index(after))
        path.write_text(text[:start] + new + text[start + len(old) :], encoding="utf-8")
        return text[:start].count("\n") + 1

    def line_of(self, file: str, words: str) -> int:
        """Return the first line that has the words."""
        text = (self.directory / file).read_text(encoding="utf-8")
        return text[: text.index(words)].count("\n") + 1

    def problems(self) -> list[str]:
        """Return the lines of the error that loading raises."""
        with pytest.raises(Invalid) as raised:
            load(self.directory)
        assert raised.value.code == "datamap_invalid"
        return raised.value.detail.splitlines()


@pytest.fixture
def spoilt(tmp_path: Path) -> Spoilt:
    directory = tmp_path / "maps"
    with resources.as_file(resources.files("shared.datamap")) as packaged:
        shutil.copytree(packaged / "maps", directory)
        shutil.copytree(packaged / "policies", directory / "policies")
    return Spoilt(directory)


@pytest.fixture
def datamap() -> DataMap:
    return load()
