"""Every form in which people have FER-2013 comes in, says what it is, and what was left out."""

from __future__ import annotations

import dataclasses
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_core.data import sources
from fer_core.data.face_set import SPLITS, FaceSet
from fer_core.data.sources import import_source, read_source
from fer_core.data.store import list_stores, open_store
from fer_core.emotions import LABELS
from fer_core.errors import DataError
from tests.data.forms import (
    FAMILIES,
    PACKERS,
    csv_table,
    encoded,
    tree,
    votes_table,
    write_folder,
    zipped,
)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def by_tree_order(faces: FaceSet) -> np.ndarray:
    """Row numbers of `faces` in the order of a tree: train before test, by label, by row."""
    return np.lexsort((np.arange(len(faces)), faces.labels, faces.split > 0))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_tree_under_any_family_of_names(family: str, faces: FaceSet, tmp_path: Path) -> None:
    read = read_source(write_folder(tmp_path, tree(faces, FAMILIES[family])))
    order = by_tree_order(faces)
    np.testing.assert_array_equal(read.images, faces.images[order])
    np.testing.assert_array_equal(read.labels, faces.labels[order])
    assert read.splits == ("Training", "Test") and len(read.rows_of("Test")) == 60
    assert read.source.kind == "image tree" and "60 test images" in read.source.notes[0]


@pytest.mark.parametrize("packing", PACKERS)
def test_a_tree_in_an_archive_is_the_tree(packing: str, faces: FaceSet, tmp_path: Path) -> None:
    folder = read_source(write_folder(tmp_path / "set", tree(faces)))
    archive = read_source(written(tmp_path / "data.bin", PACKERS[packing](tree(faces, top="archive/"))))
    assert archive.hash == folder.hash


def test_jpeg_comes_in(faces: FaceSet, tmp_path: Path) -> None:
    read = read_source(write_folder(tmp_path, tree(faces, suffix=".jpg")))
    difference = np.abs(read.images.astype(int) - faces.images[by_tree_order(faces)])
    assert len(read) == 300 and difference.mean() < 8


def test_images_are_recognised_by_content(faces: FaceSet, tmp_path: Path) -> None:
    files = {name.removesuffix(".png"): content for name, content in tree(faces).items()}
    assert len(read_source(write_folder(tmp_path, files))) == 300


@pytest.mark.parametrize(
    ("folder", "split"),
    [
        ("train", "Training"),
        ("Training", "Training"),
        ("FER2013Train", "Training"),
        ("images/train", "Training"),
        ("test", "Test"),
        ("validation", "Validation"),
        ("val", "Validation"),
        ("PublicTest", "PublicTest"),
        ("private_test", "PrivateTest"),
        ("", "Training"),
    ],
)
def test_split_folders(folder: str, split: str, faces: FaceSet, tmp_path: Path) -> None:
    files = {f"{folder}/{label}/{n}.png".lstrip("/"): encoded(faces.images[n]) for n, label in enumerate(LABELS)}
    read = read_source(write_folder(tmp_path, files))
    assert read.splits == (split,)
    assert any("all images are Training" in note for note in read.source.notes) == (split == "Training")


def test_numbers_in_names_sort_as_numbers(faces: FaceSet, tmp_path: Path) -> None:
    files = {f"train/angry/im{n}.png": encoded(faces.images[n]) for n in (10, 9, 100)}
    read = read_source(write_folder(tmp_path, files))
    np.testing.assert_array_equal(read.images, faces.images[[9, 10, 100]])


def test_color_and_other_sizes_are_converted_and_counted(faces: FaceSet, tmp_path: Path) -> None:
    files = tree(faces)
    names = list(files)
    color = cv2.cvtColor(faces.images[0], cv2.COLOR_GRAY2BGR)
    files[names[0]] = encoded(color)
    files[names[1]] = encoded(np.dstack([color, np.full((48, 48), 255, np.uint8)]))
    files[names[2]] = encoded(faces.images[2].astype(np.uint16) << 8)
    files[names[3]] = encoded(cv2.resize(faces.images[3], (96, 96), interpolation=cv2.INTER_NEAREST))
    wide = np.zeros((48, 80), np.uint8)
    wide[:, 16:64] = faces.images[4]
    files[names[4]] = encoded(wide)
    read = read_source(write_folder(tmp_path, files))
    rows = np.argsort(by_tree_order(faces))[:5]  # where rows 0 to 4 went
    np.testing.assert_array_equal(read.images[rows], faces.images[[0, 0, 2, 3, 4]])
    notes = " ".join(read.source.notes)
    assert "2 images were converted from colour" in notes and "2 images were scaled to 48 × 48" in notes


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_unreadable_images_are_listed_and_the_rest_kept(suffix: str, faces: FaceSet, tmp_path: Path) -> None:
    files = tree(faces, suffix=suffix)
    first, second, third, *_ = files
    files |= {first: b"", second: files[second][:-100], third: b"no image"}
    read = read_source(write_folder(tmp_path, files))
    assert len(read) == 297 and set(read.source.unreadable) == {
        f"{first}: empty file",
        f"{second}: {'cut short' if suffix == '.jpg' else 'damaged'}",
        f"{third}: no image in a known format",
    }
    assert any(note.startswith("3 images were left out because they cannot be read, ") for note in read.source.notes)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png_bomb() -> bytes:
    """8,000 × 8,000 black pixels of one bit each, in a few kilobytes."""
    header = struct.pack(">IIBBBBB", 8000, 8000, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(bytes(8000 * 1001)))
        + _chunk(b"IEND", b"")
    )


def _jpeg_bomb() -> bytes:
    """A small JPEG whose header claims 8,000 × 8,000 pixels; readers make up what is not there."""
    content = bytearray(encoded(np.zeros((48, 48), np.uint8), ".jpg"))
    struct.pack_into(">HH", content, content.index(b"\xff\xc0") + 5, 8000, 8000)
    return bytes(content)


@pytest.mark.parametrize("bomb", [_png_bomb(), _jpeg_bomb()], ids=["png", "jpeg"])
def test_a_small_file_of_many_pixels_is_not_decoded(bomb: bytes, faces: FaceSet, tmp_path: Path) -> None:
    assert len(bomb) < 10_000 and cv2.imdecode(np.frombuffer(bomb, np.uint8), cv2.IMREAD_GRAYSCALE).size == 64_000_000
    read = read_source(write_folder(tmp_path, tree(faces) | {"train/angry/bomb.png": bomb}))
    assert read.source.unreadable == ("train/angry/bomb.png: more than 50 million pixels",)


def test_an_image_with_megabytes_of_text_in_its_header_is_left_out(faces: FaceSet, tmp_path: Path) -> None:
    plain = encoded(faces.images[0])
    text = _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(4_000_000)))
    read = read_source(write_folder(tmp_path, tree(faces) | {"train/angry/text.png": plain[:33] + text + plain[33:]}))
    assert read.source.unreadable == ("train/angry/text.png: damaged",)


def test_a_folder_that_is_no_expression_is_an_error(faces: FaceSet, tmp_path: Path) -> None:
    files = tree(faces) | {"train/contempt/im0.png": encoded(faces.images[0])}
    with pytest.raises(DataError, match=r"named otherwise: contempt \(1\)"):
        read_source(write_folder(tmp_path, files))


def test_images_beside_the_folders_are_left_out_and_named(faces: FaceSet, tmp_path: Path) -> None:
    files = tree(faces) | {"sample.png": encoded(faces.images[0]), "Thumbs.db": b"x"}
    read = read_source(write_folder(tmp_path, files))
    assert len(read) == 300 and any("no expression's folder: sample.png" in note for note in read.source.notes)


def test_empty_classes_are_named(faces: FaceSet, tmp_path: Path) -> None:
    files = {name: content for name, content in tree(faces).items() if "/disgust/" not in name}
    notes = read_source(write_folder(tmp_path, files)).source.notes
    assert "Training has no image of disgusted." in notes and "Test has no image of disgusted." in notes


def test_the_competition_folder_gives_the_best_table(faces: FaceSet, table: bytes, tmp_path: Path) -> None:
    training = faces.rows_of("Training")
    train = FaceSet(faces.images[training], faces.labels[training], faces.split[training])
    folder = write_folder(
        tmp_path,
        {
            "a_train.csv": csv_table(train, ("emotion", "pixels")),
            "b_test.csv": csv_table(faces, ("pixels",)),
            "example_submission.csv": b"emotion\n0\n",
            "fer2013.tar.gz": PACKERS["tar.gz"]({"fer2013/fer2013.csv": table, "fer2013/README": b"x"}),
            "icml_face_data.csv": csv_table(faces, ("emotion", " Usage", " pixels")),
        },
    )
    for source in (
        folder,
        written(tmp_path / "all.zip", zipped({path.name: path.read_bytes() for path in sorted(folder.iterdir())})),
    ):
        read = read_source(source)
        assert read.hash == faces.hash and read.source.name == "fer2013/fer2013.csv"
        notes = " ".join(read.source.notes)
        assert "a_train.csv" in notes and "icml_face_data.csv" in notes and "b_test.csv was not used" in notes


def test_train_csv_alone_is_all_training(faces: FaceSet, tmp_path: Path) -> None:
    read = read_source(written(tmp_path / "train.csv", csv_table(faces, ("emotion", "pixels"))))
    assert read.splits == ("Training",) and "no Usage column" in read.source.notes[0]


def test_test_csv_alone_is_an_error_that_says_where_labels_are(faces: FaceSet, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="without their labels.*icml_face_data.csv"):
        read_source(written(tmp_path / "test.csv", csv_table(faces, ("pixels",))))


def test_votes_beside_the_table_are_joined(faces: FaceSet, table: bytes, tmp_path: Path) -> None:
    read = read_source(write_folder(tmp_path, {"fer2013.csv": table, "x.csv": votes_table(faces)}))
    assert read.votes.sum(axis=1).tolist() == [10] * 300
    assert "The FER+ votes of x.csv were joined row by row." in read.source.notes


def test_votes_that_do_not_fit_are_left_out_with_the_reason(faces: FaceSet, table: bytes, tmp_path: Path) -> None:
    files = {"fer2013.csv": table, "votes.csv": votes_table(faces, range(299))}
    read = read_source(write_folder(tmp_path, files))
    assert read.votes is None and any("not joined" in note and "299 rows" in note for note in read.source.notes)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"notes.txt": b"hello"}, "emotion, pixels, usage is missing, found: hello"),
        ({"a.txt": b"hello", "b.txt": b"world"}, "holds no faces in the 2 files"),
        ({}, "holds no faces in the 0 files"),
        (
            {
                "votes.csv": b"Usage,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
                b"Training,1,1,1,1,1,1,1,1,1,1\n"
            },
            "votes but no faces",
        ),
        ({"train/angry/a.png": b"no image"}, r"no image in it can be read: no image in a known format \(1\)"),
        ({"photo.png": b"\x89PNG"}, "found none in such folders; photo.png lies elsewhere"),
    ],
)
def test_what_is_no_data_set_is_an_error(files: dict[str, bytes], words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words):
        read_source(write_folder(tmp_path / "source", files) if files else tmp_path)


def test_a_folder_of_other_things_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_OTHERS_AT_MOST", 3)
    with pytest.raises(DataError, match="holds no faces in the 4 files looked at"):
        read_source(write_folder(tmp_path, {f"{n}.txt": b"hello" for n in range(10)}))


@pytest.mark.parametrize("form", ["table", "tree", "archive"])
def test_progress_runs_to_the_end(form: str, faces: FaceSet, table: bytes, tmp_path: Path) -> None:
    source = {
        "table": lambda: written(tmp_path / "a.csv", table),
        "tree": lambda: write_folder(tmp_path / "tree", tree(faces)),
        "archive": lambda: written(tmp_path / "a.tar.gz", PACKERS["tar.gz"]({"a.csv": table})),
    }[form]()
    seen: list[tuple[int, int]] = []
    read_source(source, lambda done, total: seen.append((done, total)))
    done = [step[0] for step in seen]
    assert done == sorted(done) and done[-1] == seen[-1][1] > 0


def test_import_keeps_the_set_under_its_name(faces: FaceSet, table: bytes, tmp_path: Path) -> None:
    source = write_folder(tmp_path / "in", {"fer2013.csv": table, "votes.csv": votes_table(faces)})
    imported = import_source(source, "FER-2013", tmp_path / "stores")
    opened = open_store("FER-2013", tmp_path / "stores")
    assert imported.hash == opened.hash == faces.hash and opened.votes is not None
    assert list_stores(tmp_path / "stores")[0].source == opened.source


def test_a_bad_source_leaves_the_old_store(faces: FaceSet, table: bytes, tmp_path: Path) -> None:
    import_source(written(tmp_path / "good.csv", table), "set", tmp_path / "stores")
    with pytest.raises(DataError, match="row 299 "):
        import_source(written(tmp_path / "bad.csv", table[:-3000]), "set", tmp_path / "stores")
    assert open_store("set", tmp_path / "stores").hash == faces.hash


def test_test_images_of_a_tree_can_be_measured_as_one(faces: FaceSet, tmp_path: Path) -> None:
    read = read_source(write_folder(tmp_path, tree(faces)))
    tests = dataclasses.replace(faces, split=np.where(faces.split > 0, SPLITS.index("Test"), 0).astype(np.uint8))
    assert read.counts() == tests.counts()


def test_broken_votes_beside_a_good_table_are_left_out_with_the_reason(
    faces: FaceSet, table: bytes, tmp_path: Path
) -> None:
    files = {"fer2013.csv": table, "votes.csv": votes_table(faces).replace(b"Training", b"Tra")}
    read = read_source(write_folder(tmp_path, files))
    assert len(read) == len(faces) and read.votes is None
    assert any("votes.csv were not joined" in note and "row 0 " in note for note in read.source.notes)


def test_an_image_that_its_decoder_cannot_take_is_listed_and_the_rest_kept(faces: FaceSet, tmp_path: Path) -> None:
    """What calls itself PNG may be anything Pillow knows, with a decoder that fails in a way of its own."""
    avif = b"\0\0\0 ftypavif\0\0\0\0avifmif1miafMA1B" + bytes(200)
    files = {"train/happy/odd.png": avif, "train/happy/good.png": encoded(faces.images[0])}
    read = read_source(write_folder(tmp_path, files))
    assert (len(read), read.source.unreadable) == (1, ("train/happy/odd.png: no image in a known format",))
