"""Text files as people have them: UTF-8 with or without a byte order mark, with any line ends, of any size."""

from collections.abc import Iterable, Iterator
from pathlib import Path

LARGEST = 100_000_000  # bytes of a text that is read at once; its tokens and their copies take many times that
PIECE = 2**16  # characters
LONGEST_WORD = 2**20  # characters


def check_unicode(texts: Iterable[str]) -> None:
    """Check that texts are whole characters; a command line that is not UTF-8 gives Python halves of them.

    Raises:
        ValueError: they are not.
    """
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"a text must be Unicode; got half of a character, {text[error.start]!r}, at position {error.start}: "
                "was it typed or read as UTF-8?"
            ) from None


def read_text(path: Path) -> str:
    """Return a text, with "\\n" at the ends of its lines.

    Raises:
        ValueError: there is no such file, it is not UTF-8, or it is too large to be read at once.
    """
    if not path.is_file():
        raise ValueError(f"cannot read {path}: {'it is a folder' if path.is_dir() else 'there is no such file'}")
    if (size := path.stat().st_size) > LARGEST:
        raise ValueError(
            f"{path} has {size / 1e6:,.0f} MB, and a text of more than {LARGEST / 1e6:,.0f} MB is not read at once: "
            "take a part of it, or (to train on it) make token files of it by sprints/09_train_gpt2/prepare_data.py"
        )
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"cannot read {path}: it is not UTF-8 at byte {error.start}: convert it") from None


def read_pieces(path: Path, start: int = 0, stop: int | None = None) -> Iterator[str]:
    """Yield a text from character `start` to before `stop` in pieces, so that it may be larger than memory.

    Pieces end before blanks, where tokens end too, so that their tokens are those of the whole. A run of a million
    characters without a blank is cut all the same.

    Raises:
        ValueError: there is no such file, or it is not UTF-8.
    """
    if not path.is_file():
        raise ValueError(f"cannot read {path}: {'it is a folder' if path.is_dir() else 'there is no such file'}")
    position, left = 0, ""
    try:
        with open(path, encoding="utf-8-sig") as file:
            while read := file.read(PIECE):
                before, position = position, position + len(read)
                left += read[max(0, start - before) : None if stop is None else max(0, stop - before)]
                # Where the last run of blanks begins; all of it stays with what follows.
                end = len(left[: 1 + max(left.rfind(" "), left.rfind("\n"))].rstrip())
                if not end and len(left) > LONGEST_WORD:
                    end = len(left)
                if end:
                    yield left[:end]
                left = left[end:]
                if stop is not None and position >= stop:
                    break
    except UnicodeDecodeError:
        raise ValueError(f"cannot read {path}: it is not UTF-8 after character {position}: convert it") from None
    if left:
        yield left
