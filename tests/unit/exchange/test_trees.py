"""What the exchange takes in, and what it refuses with which sentence."""

import io
import tarfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioskills.base.problems import InputError
from bioskills.base.settings import Exchange
from bioskills.hub.campus.objects import DiskFullError, Objects
from bioskills.hub.campus.trees import body_limit, take_in, tar_of

LIMITS = Exchange(max_tree_mb=1, max_files=5, max_path_chars=40)


def member(name: str, content: bytes = b"x", **changes: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in changes.items():
        setattr(info, key, value)
    return info, content


def archive(*members: tuple[tarfile.TarInfo, bytes]) -> io.BytesIO:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return body


def refusal(body: io.BytesIO, objects: Objects) -> str:
    with pytest.raises(InputError) as refused:
        take_in(body, LIMITS, objects)
    assert list(objects.root.rglob("*")) == []
    return str(refused.value)


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return Objects(tmp_path / "objects")


def test_a_tree_goes_in_and_comes_out_the_same(objects: Objects) -> None:
    body = archive(member("./p1.ipynb", b"{}"), member("data/a.fasta", b">a\nACGT\n" * 2000))

    tree = take_in(body, LIMITS, objects)
    out = io.BytesIO(b"".join(tar_of(tree.files, objects)))

    with tarfile.open(fileobj=out) as tar:
        found = {m.name: tar.extractfile(m).read() for m in tar}  # type: ignore[union-attr]
    assert found == {"p1.ipynb": b"{}", "data/a.fasta": b">a\nACGT\n" * 2000}
    assert [entry.path for entry in tree.files] == ["data/a.fasta", "p1.ipynb"]
    out.seek(0)
    assert take_in(out, LIMITS, objects).sha256 == tree.sha256


def test_the_order_of_the_archive_does_not_change_the_hash(objects: Objects) -> None:
    one = take_in(archive(member("a"), member("b", b"y")), LIMITS, objects)
    two = take_in(archive(member("b", b"y"), member("a")), LIMITS, objects)

    assert one.sha256 == two.sha256


def test_the_name_is_part_of_the_hash(objects: Objects) -> None:
    one = take_in(archive(member("a")), LIMITS, objects)
    two = take_in(archive(member("b")), LIMITS, objects)

    assert one.sha256 != two.sha256


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        pytest.param("/etc/passwd", "leaves the folder", id="absolute"),
        pytest.param("a/../../b", "leaves the folder", id="upwards"),
        pytest.param("..", "leaves the folder", id="parent"),
        pytest.param("C:/x", "leaves the folder", id="drive"),
        pytest.param("a//b", "not written plainly", id="empty part"),
        pytest.param("a/./b", "not written plainly", id="dot part"),
        pytest.param("a\\b", "backslash", id="backslash"),
        pytest.param("a\nb", "control", id="newline"),
        pytest.param("a\u202eb", "control", id="reversed writing"),
        pytest.param("a\udcff", "control", id="not UTF-8"),
        pytest.param("a" * 41, "too long", id="long path"),
        pytest.param("a ", "space", id="space at the end"),
        pytest.param("a./b", "dot", id="dot at the end"),
    ],
)
def test_odd_names_are_refused(objects: Objects, name: str, sentence: str) -> None:
    assert sentence in refusal(archive(member(name)), objects)


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        pytest.param("a", "a", "twice", id="same"),
        pytest.param("A.txt", "a.txt", "differs from A.txt", id="case"),
        pytest.param("\u00e9", "e\u0301", "differs from", id="composed and not"),
        pytest.param("stra\u00dfe", "STRASSE", "differs from", id="sharp s"),
        pytest.param("a", "a/b", "file and a folder", id="file then folder"),
        pytest.param("A/b", "a", "file and a folder", id="folder then file"),
    ],
)
def test_names_that_collide_are_refused(
    objects: Objects, first: str, second: str, sentence: str
) -> None:
    assert sentence in refusal(archive(member(first), member(second)), objects)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        pytest.param(tarfile.SYMTYPE, "link", id="symbolic link"),
        pytest.param(tarfile.LNKTYPE, "link", id="hard link"),
        pytest.param(tarfile.CHRTYPE, "not a regular file", id="device"),
        pytest.param(tarfile.FIFOTYPE, "not a regular file", id="pipe"),
        pytest.param(tarfile.CONTTYPE, "not a regular file", id="contiguous"),
    ],
)
def test_only_regular_files_are_accepted(objects: Objects, kind: bytes, sentence: str) -> None:
    info = tarfile.TarInfo("odd")
    info.type, info.linkname = kind, "/etc/passwd"

    assert sentence in refusal(archive((info, b"")), objects)


def test_all_faults_come_at_once(objects: Objects) -> None:
    said = refusal(archive(member("/a"), member("b\\c"), member("good")), objects)

    assert [line.split(":")[0] for line in said.splitlines()] == ["/a", "b\\c"]


def test_too_many_files_are_refused(objects: Objects) -> None:
    said = refusal(archive(*(member(f"f{n}") for n in range(6))), objects)

    assert "At most 5 files" in said


def test_too_large_a_tree_is_refused(objects: Objects) -> None:
    assert "At most 1 MB" in refusal(archive(member("big", b"0" * 1_000_001)), objects)


def test_an_empty_archive_is_refused(objects: Objects) -> None:
    assert "no file" in refusal(archive(), objects)


def test_a_size_that_is_not_there_is_refused(objects: Objects) -> None:
    info = tarfile.TarInfo("a")
    info.size = 900_000

    assert "damaged" in refusal(io.BytesIO(info.tobuf() + b"0" * 1024), objects)


def test_a_huge_size_in_a_header_is_refused_without_reading_it(objects: Objects) -> None:
    info = tarfile.TarInfo("a")
    info.size = 2**60
    body = io.BytesIO(info.tobuf(tarfile.GNU_FORMAT) + b"0" * 1024)

    assert "too large" in refusal(body, objects)


def test_a_negative_size_does_not_send_the_reader_backwards(objects: Objects) -> None:
    info = tarfile.TarInfo("a")
    info.size = -1024
    body = io.BytesIO(info.tobuf(tarfile.GNU_FORMAT) * 3)

    assert "damaged" in refusal(body, objects)


def test_a_huge_extended_header_takes_no_memory(objects: Objects) -> None:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 200_000_000
    body = io.BytesIO(info.tobuf(tarfile.GNU_FORMAT) + b"1" * 20_000_000)
    tracemalloc.start()

    said = refusal(body, objects)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "damaged" in said
    assert peak < 1_000_000


def test_thousands_of_nested_headers_end_in_a_sentence(objects: Objects) -> None:
    info = tarfile.TarInfo("pax")
    info.type = tarfile.XHDTYPE

    assert "damaged" in refusal(io.BytesIO(info.tobuf() * 5000), objects)


def test_a_sparse_file_is_refused(objects: Objects) -> None:
    info = tarfile.TarInfo("sparse")
    info.pax_headers = {"GNU.sparse.size": "99999999999", "GNU.sparse.map": "0,1"}

    assert "not a regular file" in refusal(archive((info, b"")), objects)


def test_a_compressed_archive_is_refused(objects: Objects) -> None:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w:gz") as tar:
        tar.addfile(
            *[
                part if isinstance(part, tarfile.TarInfo) else io.BytesIO(part)
                for part in member("a")
            ]
        )  # type: ignore[arg-type]

    assert "damaged" in refusal(body, objects)


@given(st.binary(max_size=3000))
def test_no_bytes_whatever_end_in_anything_but_a_sentence(noise: bytes) -> None:
    store = Objects(Path("/nonexistent/never-written"))

    with pytest.raises(InputError):
        take_in(io.BytesIO(noise), LIMITS, store)


def test_the_largest_allowed_tree_fits_into_the_body_limit() -> None:
    assert body_limit(LIMITS) > 1_000_000 + 5 * 3 * 512


def test_a_full_disk_leaves_nothing_half_written(
    objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chunks() -> object:
        yield b"half"
        raise OSError(28, "No space left on device")

    with pytest.raises(DiskFullError, match="disk is full"):
        objects.put_stream(chunks())  # type: ignore[arg-type]

    assert list(objects.root.iterdir()) == []


def test_stored_files_are_private(objects: Objects) -> None:
    sha256 = objects.put(b"secret")

    path = objects.path(sha256)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert objects.root.stat().st_mode & 0o777 == 0o700
