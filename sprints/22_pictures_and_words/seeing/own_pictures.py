"""Your own pictures with captions: from a folder, or from a data set of the Hugging Face hub.

A folder holds pictures, and one of these lists; a picture may have several captions, a line for each:

    captions.csv      a line "file,caption", then a line for each caption: "breakfast.jpg,a bowl beside a glass"
    captions.jsonl    a line for each caption: {"file": "breakfast.jpg", "caption": "a bowl beside a glass"}

metadata.csv and metadata.jsonl are read as well (the ImageFolder format of `datasets`), and the columns may be called
"file_name" or "image", and "text". Theory: notes/11_glyphs_and_digits.md
"""

import csv
import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float32, Int64, UInt8
from PIL import Image
from torch import Tensor

from seeing.picture_squares import ENDINGS, read_square
from shared.lab.files import replacing_folder

LISTS = ("captions.csv", "captions.jsonl", "metadata.csv", "metadata.jsonl")
FILE_COLUMNS, CAPTION_COLUMNS = ("file", "file_name", "image"), ("caption", "text")
HUB = "hub:"


class OwnPairs(NamedTuple):
    """Pictures, captions, and which picture each caption is of."""

    pictures: Float32[Tensor, "pictures 3 size size"]
    captions: list[str]
    picture_of: Int64[Tensor, " captions"]


def own_pairs(source: str | Path, size: int = 48, most: int | None = None) -> OwnPairs:
    """Return the pictures of a folder, or with "hub:OWNER/NAME" of a data set, from -1 to 1, with their captions.

    Args:
        source: where they are.
        size: pixels of a side; each picture is resized, and its middle cut out.
        most: pictures (default: all of a folder, and 1,000 of a data set).

    Raises:
        ValueError: what is wrong with the list, a caption or a picture; at least two pictures are needed.
    """
    if str(source).startswith(HUB):
        found = _from_hub(str(source).removeprefix(HUB), 1000 if most is None else most)
    else:
        found = _from_folder(Path(source), most)
    squares, captions, picture_of = [], [], []
    for name, picture, texts in found:
        picture_of += [len(squares)] * len(texts)
        captions += texts
        squares.append(read_square(picture, name, size))
    if len(squares) < 2:
        raise ValueError(f"{source}: at least two pictures are needed to tell them apart; got {len(squares)}")
    return OwnPairs(torch.stack(squares).float() / 127.5 - 1, captions, torch.tensor(picture_of))


def write_folder(folder: Path, pairs: Sequence[tuple[UInt8[Tensor, "3 height width"], str]]) -> Path:
    """Write pictures with a caption each as `own_pairs` reads them, whole or not at all, and return the folder."""
    with replacing_folder(folder) as new, (new / LISTS[0]).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "caption"])
        for number, (picture, caption) in enumerate(pairs):
            Image.fromarray(picture.permute(1, 2, 0).numpy()).save(new / f"{number:05}.png")
            rows.writerow([f"{number:05}.png", caption])
    return folder


def _from_folder(folder: Path, most: int | None) -> Iterator[tuple[str, Path | bytes, list[str]]]:
    for file, captions in itertools.islice(read_list(folder).items(), most):
        yield file, folder / file, captions


def read_list(folder: Path) -> dict[str, list[str]]:
    """Return the captions of each picture of a folder, by its name there, in the order of the list.

    Raises:
        ValueError: no folder, no list or two of them, nothing in it, a line without a caption or a file, a file that is
            not in the folder, a picture of the folder without a caption.
    """
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    lists = [folder / name for name in LISTS if (folder / name).is_file()]
    if len(lists) != 1:
        there = ", ".join(path.name for path in lists) or "none of them"
        raise ValueError(f"{folder} needs one list of captions ({', '.join(LISTS)}); it has {there}")
    rows = _csv_rows(lists[0]) if lists[0].suffix == ".csv" else _json_rows(lists[0])
    captions: dict[str, list[str]] = {}
    for where, row in rows:
        file, caption = (_cell(where, row, columns) for columns in (FILE_COLUMNS, CAPTION_COLUMNS))
        path = (folder / file).resolve()
        if not path.is_relative_to(folder.resolve()) or not path.is_file():
            raise ValueError(f"{where}: there is no file {file} in the folder")
        captions.setdefault(file, []).append(caption)
    if not captions:
        raise ValueError(f"{lists[0].name} has no line with a picture and a caption")
    listed = {(folder / file).resolve() for file in captions}
    pictures = (path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)
    left = sorted(path.relative_to(folder).as_posix() for path in pictures if path.resolve() not in listed)
    if left:
        names = ", ".join(left[:3] + ["..."] * (len(left) > 3))
        raise ValueError(
            f"pictures without a caption in {lists[0].name}: {len(left)} ({names}): add lines, or move them"
        )
    return captions


def _csv_rows(path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True, skipinitialspace=True)
            names = reader.fieldnames or []
            for columns in (FILE_COLUMNS, CAPTION_COLUMNS):
                if not set(columns) & set(names):
                    there = ", ".join(names) or "none"
                    raise ValueError(f"{path.name}:1: a column {' or '.join(columns)} is missing; there are {there}")
            for row in reader:
                if None in row:
                    raise ValueError(f"{path.name}:{reader.line_num}: a caption with a comma needs quotes around it")
                yield f"{path.name}:{reader.line_num}", dict(row)
    except csv.Error as error:
        raise ValueError(f"{path.name}: {error}: correct its quotes") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} is no text in UTF-8 ({error.reason})") from None


def _json_rows(path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} is no text in UTF-8 ({error.reason})") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path.name}:{number}: no JSON ({error.msg})") from None
        if not isinstance(row, dict):
            raise ValueError(f'{path.name}:{number}: a line is such as {{"file": "a.png", "caption": "a bowl"}}')
        yield f"{path.name}:{number}", row


def _cell(where: str, row: dict[str, object], columns: Sequence[str]) -> str:
    """Return what a row has under the first of these names, without blanks around it."""
    name = next((name for name in columns if name in row), columns[0])
    text = row.get(name)
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{where}: the {name} is missing")
    return text.strip()


def _from_hub(name: str, most: int) -> Iterator[tuple[str, Path | bytes, list[str]]]:
    """Yield the first pictures of the split "train" while they arrive: what is not needed is not downloaded."""
    import datasets

    try:
        rows = datasets.load_dataset(name, split="train", streaming=True)
    except Exception as error:  # of the network, of the hub, of the data set: each has errors of its own
        raise ValueError(f"{HUB}{name} cannot be opened: {type(error).__name__}: {error}") from None
    features = rows.features or {}
    pictures = [column for column, kind in features.items() if isinstance(kind, datasets.Image)]
    captions = [column for column in features if column in (*CAPTION_COLUMNS, "captions")]
    if not pictures or not captions:
        raise ValueError(
            f"{HUB}{name} needs a column of pictures and one called caption or text; it has {list(features)}"
        )
    # Not decoded there: what is broken should be one of our errors.
    for number, row in enumerate(rows.cast_column(pictures[0], datasets.Image(decode=False)).take(most)):
        where, picture, texts = f"{name}, row {number}", row[pictures[0]], row[captions[0]]
        texts = [texts] if isinstance(texts, str) else texts
        if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
            raise ValueError(f"{where}: the caption is missing")
        if not picture:
            raise ValueError(f"{where}: the picture is missing")
        yield where, picture["bytes"] or Path(picture["path"]), [text.strip() for text in texts]
