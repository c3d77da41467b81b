"""Looking into archives: everything inside is found, nothing is unpacked, nothing hostile gets through."""

from __future__ import annotations

import gzip
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from fer_core.data import archive_reader
from fer_core.data.archive_reader import entries
from fer_core.errors import DataError
from tests.data.forms import COMPRESSORS, PACKERS, tarred, write_folder, zipped

FILES = {"a/one.txt": b"1" * 100_000, "a/two.bin": bytes(range(256)) * 300, "three": b""}


def contents(source: Path) -> dict[str, bytes]:
    return {entry.name: entry.stream.read() for entry in entries(source)}


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("packing", PACKERS)
def test_archives_give_their_files(packing: str, tmp_path: Path) -> None:
    assert contents(written(tmp_path / "x", PACKERS[packing](FILES))) == FILES


def test_folders_give_their_files_in_order(tmp_path: Path) -> None:
    found = contents(write_folder(tmp_path, FILES))
    assert found == FILES and list(found) == ["three", "a/one.txt", "a/two.bin"]


@pytest.mark.parametrize("compression", COMPRESSORS)
def test_a_compressed_file_gives_its_content(compression: str, tmp_path: Path) -> None:
    path = written(tmp_path / "one.txt", COMPRESSORS[compression](FILES["a/one.txt"]))
    assert contents(path) == {"one.txt": FILES["a/one.txt"]}


@pytest.mark.parametrize("outer", PACKERS)
@pytest.mark.parametrize("inner", PACKERS)
def test_archives_inside_archives_are_opened(outer: str, inner: str, tmp_path: Path) -> None:
    nested = PACKERS[outer]({"deep": PACKERS[inner](FILES), "beside": b"me"})
    assert contents(written(tmp_path / "x", nested)) == FILES | {"beside": b"me"}


def test_hidden_files_are_passed_over(tmp_path: Path) -> None:
    files = {"__MACOSX/a/._one.txt": b"", "a/.DS_Store": b"", ".git/config": b"", "kept": b"1"}
    assert list(contents(written(tmp_path / "x", zipped(files)))) == ["kept"]
    assert list(contents(write_folder(tmp_path / "y", files))) == ["kept"]


def test_positions_grow_to_the_total(tmp_path: Path) -> None:
    write_folder(tmp_path, FILES)
    (tmp_path / "z.gz").write_bytes(gzip.compress(os.urandom(200_000)))
    positions = []
    for entry in entries(tmp_path):
        entry.stream.read()
        positions.append(entry.position())
    assert positions == sorted(positions)
    assert positions[-1] == entry.total == sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", ["../out.txt", "a/../../out.txt", "/etc/passwd", "..\\out.txt", "C:\\out.txt"])
@pytest.mark.parametrize("packing", ["zip", "tar.gz"])
def test_names_that_climb_out_are_refused(name: str, packing: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="leads out of the archive"):
        contents(written(tmp_path / "x", PACKERS[packing]({"fine": b"1", name: b"2"})))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(kind: bytes, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x", "w") as archive:
        member = tarfile.TarInfo("train/angry/im0.png")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(DataError, match="im0.png', which is a link, a device or a sparse file"):
        contents(tmp_path / "x")


def test_a_sparse_file_in_a_tar_is_refused_before_its_zeros_are_read(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x", "w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("fer2013.zip")
        member.pax_headers = {"GNU.sparse.map": "0,0", "GNU.sparse.size": str(10**12)}
        archive.addfile(member)
    assert (tmp_path / "x").stat().st_size < 20_000
    with pytest.raises(DataError, match="fer2013.zip', which is a link, a device or a sparse file"):
        next(entries(tmp_path / "x"))


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x", "w") as archive:
        member = zipfile.ZipInfo("train/angry/im0.png")
        member.external_attr = 0o120777 << 16
        archive.writestr(member, "/etc/passwd")
    with pytest.raises(DataError, match="which is a link"):
        contents(tmp_path / "x")


@pytest.mark.parametrize("is_folder", [True, False])
def test_links_in_a_folder_are_refused(is_folder: bool, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "train").symlink_to(tmp_path / "real", target_is_directory=is_folder)
    with pytest.raises(DataError, match="train is a link"):
        contents(tmp_path / "set")


def test_a_source_may_itself_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(write_folder(tmp_path / "real", FILES))
    assert contents(tmp_path / "link") == FILES


@pytest.mark.parametrize("packing", ["zip", "tar.gz", "tar.xz"])
def test_a_bomb_is_not_unpacked(packing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "x", PACKERS[packing]({"zeros": bytes(40 << 20)}))
    assert path.stat().st_size * archive_reader.MAX_RATIO < 40 << 20
    with pytest.raises(DataError, match="more than 200 times its size"):
        contents(path)


def test_a_bomb_of_many_small_files_is_not_unpacked(tmp_path: Path) -> None:
    path = written(tmp_path / "x", zipped({f"{n}": bytes(1 << 20) for n in range(40)}))
    with pytest.raises(DataError, match="more than 200 times its size"):
        contents(path)


def test_what_unpacks_to_too_much_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_reader, "MAX_BYTES", 150_000)
    with pytest.raises(DataError, match="unpacks to more than"):
        contents(written(tmp_path / "x", zipped(FILES)))


def test_a_file_of_ten_gigabytes_is_refused_at_once(tmp_path: Path) -> None:
    with (tmp_path / "big.csv").open("wb") as file:
        file.truncate(10_000_000_000)
    with pytest.raises(DataError, match="big.csv has 10.0 GB; expected at most 2.1 GB"):
        contents(tmp_path / "big.csv")


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_reader, "MAX_FILES", 2)
    for source in (written(tmp_path / "x", zipped(FILES)), write_folder(tmp_path / "y", FILES)):
        with pytest.raises(DataError, match="more than 2 files"):
            contents(source)


def test_endless_nesting_is_refused(tmp_path: Path) -> None:
    content = b"core"
    for _ in range(6):
        content = gzip.compress(content)
    with pytest.raises(DataError, match="more than 4 deep"):
        contents(written(tmp_path / "x", content))


@pytest.mark.parametrize("packing", PACKERS)
def test_truncated_archives_are_errors(packing: str, tmp_path: Path) -> None:
    packed = PACKERS[packing]({"random": os.urandom(300_000), "more": os.urandom(1000)})
    with pytest.raises(DataError, match="is broken"):
        contents(written(tmp_path / "x", packed[:150_000]))


def test_a_zip_with_a_password_is_an_error(tmp_path: Path) -> None:
    packed = bytearray(zipped({"secret": b"1" * 100}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(signature) + offset] |= 1  # the flag "encrypted"
    with pytest.raises(DataError, match="password"):
        contents(written(tmp_path / "x", bytes(packed)))


def test_a_zip_with_a_name_that_is_not_the_text_it_claims_to_be_is_an_error(tmp_path: Path) -> None:
    packed = zipped({"na\u00efve": b"1"}).replace("na\u00efve".encode(), b"na\xff\xffve")
    with pytest.raises(DataError, match="is broken"):
        contents(written(tmp_path / "x", packed))


def test_a_path_longer_than_a_name_can_be_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: File name too long"):
        contents(tmp_path / ("x" * 300))


def test_a_missing_source_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not there"):
        contents(tmp_path / "none")


def test_nothing_is_written_to_disk(tmp_path: Path) -> None:
    source = written(tmp_path / "x", tarred({"inner.zip": zipped(FILES)}, "gz"))
    contents(source)
    assert list(tmp_path.iterdir()) == [source]


def test_the_first_bytes_can_be_seen_without_being_consumed(tmp_path: Path) -> None:
    for source in (written(tmp_path / "x", tarred(FILES, "xz")), write_folder(tmp_path / "y", FILES)):
        for entry in entries(source):
            content = FILES[entry.name]
            assert entry.head() == content[: len(entry.head())] and len(entry.head()) >= min(65_536, len(content))
            assert entry.stream.read() == content


@pytest.mark.parametrize(
    "damage",
    [lambda tar, at: tar[:at], lambda tar, at: tar[: at + 100], lambda tar, at: tar[:at] + b"?" + tar[at + 1 :]],
    ids=["before a header", "within a header", "a letter of a header"],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_tar_that_is_cut_or_damaged_between_its_files_is_an_error(damage, pack, tmp_path: Path) -> None:
    files = {f"{number}.txt": b"x" * 512 for number in range(8)}
    # Each file takes a header and a block of 512 bytes.
    path = written(tmp_path / "x.tar", pack(damage(tarred(files, ""), 4 * 1024)))
    with pytest.raises(DataError, match="broken"):
        contents(path)


def test_a_zip_of_too_many_files_is_refused_before_their_names_are_read(tmp_path: Path, monkeypatch) -> None:
    path = written(tmp_path / "x.zip", zipped({f"{number}.txt": b"" for number in range(8)}))
    monkeypatch.setattr(archive_reader, "MAX_FILES", 5)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(DataError, match="more than 5 files"):
        contents(path)


def test_a_name_in_another_encoding_is_one_that_can_be_written(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"b\xe4d.txt")).write_bytes(b"1")
    assert list(contents(tmp_path)) == ["b?d.txt"]
