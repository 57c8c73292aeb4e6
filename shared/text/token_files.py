"""Folders of tokens that training maps into memory, made of texts that may be larger than memory.

A folder holds train.npy and validation.npy, the tokenizer.json that made them, and corpus.json with a fingerprint of
all three: tokens of one tokenizer beside the file of another would train without a word.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import Integer
from numpy.lib.format import write_array_header_1_0

from shared.lab.files import replacing_folder
from shared.lab.provenance import note_read
from shared.text.plain_text import read_pieces
from shared.text.tokenizers import Tokenizer, character_tokenizer, gpt2_tokenizer, train_bpe

MOST_VALIDATION = 5_000_000  # characters: more make the figure no better, and its n-gram takes minutes
TOKENS, ABOUT = ("train", "validation"), "corpus.json"
Ids = Integer[np.ndarray, " _"]


def split_point(characters: int) -> int:
    """Return at which character validation begins: the last tenth, or the last five million characters, validate."""
    return max(characters * 9 // 10, characters - MOST_VALIDATION)


def token_type(tokenizer: Tokenizer) -> type[np.unsignedinteger]:
    """Return the smallest of two types that hold all ids."""
    return np.uint16 if tokenizer.vocab_size < 2**16 else np.uint32


def fingerprint(tokenizer: Tokenizer, train: Ids, validation: Ids, characters: int) -> str:
    """Return 16 digits of a SHA-256 of a tokenizer, the tokens it made, and the characters that validate."""
    digest = hashlib.sha256(f"{tokenizer.backend.to_str()} {characters} {train.dtype}".encode())
    for tokens in (train, validation):
        digest.update(f"{len(tokens)} ".encode())
        digest.update(tokens.data)  # a mapped file is read as it is hashed, and not kept
    return digest.hexdigest()[:16]


def check_length(train: Ids, validation: Ids) -> None:
    """Check that a text has a token to predict in the part that validates.

    Raises:
        ValueError: it has not.
    """
    if len(validation) < 2:
        raise ValueError(
            f"a text needs at least two tokens in its last tenth, which validates; it has {len(validation)} there "
            f"and {len(train)} before: give more text"
        )


def make_tokenizer(
    kind: str, text: Iterable[str], train: Iterable[str], vocab_size: int = 2048, gpt2_folder: Path | None = None
) -> Tokenizer:
    """Return a tokenizer of a kind for a text that comes in pieces: "char", "bpe" or "gpt2".

    Args:
        kind: which.
        text: all of the text, for the characters in it.
        train: what a bpe learns from.
        vocab_size: the largest number of tokens of a bpe.
        gpt2_folder: the files of GPT-2's.

    Raises:
        ValueError: an unknown kind, or a text without a letter.
    """
    characters = set().union(*text)
    if not "".join(characters).strip():
        raise ValueError("there is no text to train on: the file is empty")
    if kind == "char":
        return character_tokenizer("".join(characters))
    if kind == "bpe":
        return train_bpe(train, vocab_size)
    if kind == "gpt2" and gpt2_folder is not None:
        return gpt2_tokenizer(gpt2_folder)
    raise ValueError(f"tokenizer must be char, bpe or gpt2 (with its folder); got {kind!r}")


def prepare_folder(
    text: Path, folder: Path, kind: str, vocab_size: int = 2048, gpt2_folder: Path | None = None
) -> None:
    """Write the tokens of a text into a folder, which is there whole at the end, or as it was.

    Args:
        text: a UTF-8 text of any size.
        folder: made, or replaced if it is one of these.
        kind, vocab_size, gpt2_folder: as for `make_tokenizer`.

    Raises:
        ValueError: the folder holds something else, or there is no text, or it has too few characters.
    """
    if folder.exists() and not (folder / ABOUT).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} holds something else than tokens, and would be replaced: name another folder")
    with replacing_folder(folder) as temporary:
        characters = sum(map(len, read_pieces(text)))
        cut = split_point(characters)
        tokenizer = make_tokenizer(kind, read_pieces(text), read_pieces(text, stop=cut), vocab_size, gpt2_folder)
        for name, pieces in zip(TOKENS, (read_pieces(text, stop=cut), read_pieces(text, start=cut)), strict=True):
            write_array(temporary / f"{name}.npy", _encode(pieces, tokenizer), token_type(tokenizer))
        tokenizer.save(temporary)
        train, validation = (_map(temporary / f"{name}.npy") for name in TOKENS)
        check_length(train, validation)
        whole = fingerprint(Tokenizer.load(temporary), train, validation, characters - cut)
        about = {"characters": characters - cut, "fingerprint": whole}
        (temporary / ABOUT).write_text(json.dumps(about) + "\n", encoding="utf-8")


def load_tokens(folder: Path) -> tuple[Ids, Ids, Tokenizer, int]:
    """Return what `prepare_folder` wrote: tokens to train on and to validate on, mapped, not read; the tokenizer; and
    the characters that validate.

    Raises:
        ValueError: the folder is not one of these, or not, bit for bit, as it was written.
    """
    again = "make it again by sprints/09_train_gpt2/prepare_data.py"
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        characters, written = int(about["characters"]), str(about["fingerprint"])
        train, validation = (_map(note_read(folder / f"{name}.npy")) for name in TOKENS)
        tokenizer = Tokenizer.load(folder)
    except (OSError, ValueError, EOFError, KeyError, TypeError) as error:
        raise ValueError(f"{folder} is no folder of prepared tokens ({error}): {again}") from None
    if (now := fingerprint(tokenizer, train, validation, characters)) != written:
        raise ValueError(
            f"the tokens and the tokenizer in {folder} are not as they were written, or do not belong together "
            f"(fingerprint {now}, written was {written}): {again}"
        )
    return train, validation, tokenizer, characters


def write_array(path: Path, parts: Iterable[Sequence[int]], dtype: type[np.unsignedinteger]) -> None:
    """Write numbers that come in parts as one array of NumPy's format; its header has room for a length known later."""
    about, count = {"descr": np.dtype(dtype).str, "fortran_order": False}, 0
    with open(path, "wb") as file:
        write_array_header_1_0(file, about | {"shape": (0,)})
        for part in parts:
            file.write(np.array(part, dtype).tobytes())
            count += len(part)
        file.seek(0)
        write_array_header_1_0(file, about | {"shape": (count,)})


def _encode(pieces: Iterator[str], tokenizer: Tokenizer) -> Iterator[list[int]]:
    """Yield the tokens of each piece; many are encoded at a time, in parallel."""
    while some := list(islice(pieces, 32)):
        yield from tokenizer.encode_batch(some)


def _map(path: Path) -> Ids:
    return np.lib.format.open_memmap(path, mode="r")  # np.load would take archives and pickles too
