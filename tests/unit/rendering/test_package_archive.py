import io
import json
import random
import shutil
import struct
import subprocess
import zipfile
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rendering.archive import Block, FileMember, Member, block, closing_block, file_entry_name

WRITTEN_AT = datetime(2026, 11, 23, 9, 15, 30, tzinfo=UTC)


def assembled(blocks, last, *, extra=b""):
    """Put blocks and the closing block together as the blob store does."""
    placed, data = [], b""
    for part in blocks:
        placed.extend((len(data), member) for member in part.members)
        data += part.data
    return (
        data + extra + closing_block(placed, last, start_offset=len(data) + len(extra), written_at=WRITTEN_AT)
    )


def test_archive_of_several_blocks_opens_and_holds_every_entry():
    pages = [
        [("data/a/a-000001.json", b"[1]" * 500), ("data/a/a-000001.csv", b"")],
        [("data/b/b-000001.json", "æøå 😀".encode())],
    ]
    last = [("index.html", b"<p>x</p>"), ("manifest.json", b"{}")]
    data = assembled([block(page, written_at=WRITTEN_AT) for page in pages], last)

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        expected = dict([*pages[0], *pages[1], *last])
        assert archive.namelist() == list(expected)
        assert {name: archive.read(name) for name in archive.namelist()} == expected
        assert {info.date_time for info in archive.infolist()} == {(2026, 11, 23, 9, 15, 30)}


def test_archive_without_any_block_is_an_archive_of_the_last_entries():
    data = assembled([], [("index.html", b"x")])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["index.html"]
        assert archive.testzip() is None


@pytest.mark.skipif(shutil.which("unzip") is None, reason="the unzip program is not installed")
def test_unzip_finds_no_fault_in_an_archive_with_a_streamed_file(tmp_path):
    first = block([("data/a/a-000001.json", b"[]" * 100)], written_at=WRITTEN_AT)
    streamed = _streamed("files/a/000001-x.bin", [b"one", b"two"])
    path = tmp_path / "package.zip"
    path.write_bytes(assembled([first, streamed], [("index.html", b"x")]))

    result = subprocess.run(["unzip", "-t", str(path)], capture_output=True, text=True, check=False)  # noqa: S603, S607 - the test asks the program itself
    assert result.returncode == 0, result.stdout + result.stderr
    assert "No errors detected" in result.stdout


@given(st.lists(st.lists(st.binary(max_size=3000), max_size=4), max_size=5))
def test_any_content_in_any_blocks_comes_back_unchanged(pages):
    named = [
        [(f"data/s/s-{number:06d}-{place}.bin", content) for place, content in enumerate(page)]
        for number, page in enumerate(pages)
    ]
    data = assembled([block(page, written_at=WRITTEN_AT) for page in named], [("index.html", b"")])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        for page in named:
            for name, content in page:
                assert archive.read(name) == content


def test_same_input_gives_the_same_bytes():
    entries = [
        ("data/a/a-000001.json", random.Random(1).randbytes(5000)),
        ("data/a/a-000001.csv", b"a" * 999),
    ]
    first, second = (block(entries, written_at=WRITTEN_AT) for _ in range(2))
    assert first == second
    placed = [(0, member) for member in first.members]
    closings = {
        closing_block(placed, [("index.html", b"x")], start_offset=len(first.data), written_at=WRITTEN_AT)
        for _ in range(2)
    }
    assert len(closings) == 1


def test_member_survives_being_stored_as_json():
    member = block([("data/a/a-000001.json", b"[]")], written_at=WRITTEN_AT).members[0]
    assert Member.from_json(json.loads(json.dumps(member.to_json()))) == member
    with pytest.raises(TypeError):
        Member.from_json({"name": "x"})


@pytest.mark.parametrize(
    "name",
    ["", "/a", "a/../b", "..", "a//b", "a\\b", "c:/a", "æ.txt", "a\n", "a b", ".hidden", "a/", "x" * 201],
)
def test_name_that_could_leave_the_folder_is_refused(name):
    with pytest.raises(ValueError, match="entry name"):
        block([(name, b"")], written_at=WRITTEN_AT)
    with pytest.raises(ValueError, match="entry name"):
        FileMember().begin(name, WRITTEN_AT)


def test_name_that_comes_twice_is_refused_even_in_other_letters():
    with pytest.raises(ValueError, match="twice"):
        block([("data/a.json", b""), ("data/A.json", b"")], written_at=WRITTEN_AT)
    member = block([("index.html", b"")], written_at=WRITTEN_AT).members[0]
    with pytest.raises(ValueError, match="twice"):
        closing_block([(0, member)], [("index.html", b"")], start_offset=100, written_at=WRITTEN_AT)


@given(st.text(max_size=300), st.integers(min_value=1, max_value=999_999))
def test_any_original_file_name_becomes_a_name_the_archive_takes(original, number):
    name = file_entry_name("author_files", number, original)
    assert name.startswith(f"files/author_files/{number:06d}-")
    assert block([(name, b"")], written_at=WRITTEN_AT).members[0].name == name


def test_file_keeps_its_readable_name_and_ending():
    assert (
        file_entry_name("s", 7, "a1/Årsrapport 2026.final.PDF") == "files/s/000007-Aarsrapport-2026.final.PDF"
    )
    assert file_entry_name("s", 8, "../../etc/passwd") == "files/s/000008-passwd"
    assert file_entry_name("s", 9, "日本語") == "files/s/000009-file"


def _streamed(name, chunks, **options):
    member = FileMember(**options)
    data = member.begin(name, WRITTEN_AT) + b"".join(member.update(chunk) for chunk in chunks)
    descriptor, finished = member.finish()
    return Block(data=data + descriptor, members=(finished,))


@pytest.mark.parametrize("expected_bytes", [None, 300_001])
def test_streamed_file_reads_back_in_both_forms(expected_bytes):
    chunks = [random.Random(place).randbytes(100_000) for place in range(3)] + [b"x"]
    streamed = _streamed("files/a/000001-x.bin", chunks, expected_bytes=expected_bytes)
    other = block([("data/a/a-000001.json", b"[]")], written_at=WRITTEN_AT)
    data = assembled([other, streamed, _streamed("files/a/000002-empty.bin", [])], [("index.html", b"x")])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.read("files/a/000001-x.bin") == b"".join(chunks)
        assert archive.read("files/a/000002-empty.bin") == b""


def test_streamed_file_may_begin_behind_other_entries_of_its_block():
    first = block([("data/a/a-000001.json", b"[]")], written_at=WRITTEN_AT)
    streamed = _streamed("files/a/000001-x.bin", [b"abc"], offset_in_block=len(first.data))
    joined = Block(data=first.data + streamed.data, members=first.members + streamed.members)
    with zipfile.ZipFile(io.BytesIO(assembled([joined], []))) as archive:
        assert archive.testzip() is None


def test_file_that_outgrows_its_announced_form_is_refused(monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    member = FileMember(expected_bytes=5)
    member.begin("files/a/000001-x.bin", WRITTEN_AT)
    member.update(b"x" * 11)
    with pytest.raises(ValueError, match="larger than announced"):
        member.finish()


def _directory_only(members, *, start_offset):
    """Return the closing block as an archive whose earlier bytes are absent, and its directory."""
    closing = closing_block(members, [("index.html", b"x")], start_offset=start_offset, written_at=WRITTEN_AT)

    class Hollow(io.RawIOBase):
        position = 0

        def readable(self):
            return True

        def seekable(self):
            return True

        def tell(self):
            return self.position

        def seek(self, offset, whence=0):
            base = {0: 0, 1: self.position, 2: start_offset + len(closing)}[whence]
            self.position = base + offset
            return self.position

        def read(self, size=-1):
            start = self.position - start_offset
            assert start >= 0, "an absent byte was read"
            data = closing[start:] if size < 0 else closing[start : start + size]
            self.position += len(data)
            return data

    return zipfile.ZipFile(Hollow())


def _member(name, **changes):
    facts = {
        "offset_in_block": 0,
        "compressed_bytes": 10,
        "size_bytes": 10,
        "crc32": 1,
        "sha256": "0" * 64,
        "flag_bits": 0,
        "method": 0,
    }
    return Member(name=name, **(facts | changes))


def test_more_entries_than_the_classic_directory_can_count_are_all_listed():
    first = block([(f"data/a/{number}.json", b"") for number in range(70_000)], written_at=WRITTEN_AT)
    data = assembled([first], [("index.html", b"x")])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert len(archive.infolist()) == 70_001
        assert archive.read("data/a/69999.json") == b""
        assert archive.read("index.html") == b"x"
    assert b"PK\x06\x06" in data[-98:]


def test_offsets_and_sizes_beyond_four_gibibytes_are_kept():
    five_gib = 5 * 2**30
    placed = [
        (0, _member("files/a/000001-x.bin", compressed_bytes=five_gib, size_bytes=five_gib, flag_bits=8)),
        (five_gib + 200, _member("data/b/b-000001.json", offset_in_block=77)),
    ]
    with _directory_only(placed, start_offset=five_gib + 1000) as archive:
        large, far, index = archive.infolist()
        assert (large.file_size, large.compress_size, large.header_offset) == (five_gib, five_gib, 0)
        assert far.header_offset == five_gib + 277
        assert index.header_offset == five_gib + 1000
        assert archive.read("index.html") == b"x"


def test_local_header_of_a_streamed_file_says_that_sizes_follow():
    header = FileMember().begin("files/a/000001-x.bin", WRITTEN_AT)
    signature, version, flags, method = struct.unpack("<4sHHH", header[:10])
    assert (signature, version, flags, method) == (b"PK\x03\x04", 45, 8, 0)
