"""An index on disk that is there whole, whenever the process that writes it is killed.

`index.json` says with what it was made, and names for each file its segment. In `segments/` is a file for each content:
its text, where its chunks are, their vectors. It is written once, under a name that holds the SHA-256 of the content,
and of itself. The list is renamed into place when all segments are there; only then what it does not name is deleted.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from jaxtyping import Float

from retrieval.chunks import cut_by_length
from retrieval.encoders import Encoder
from retrieval.folder import MOST_BYTES, Document, as_document, read_content, titled
from retrieval.kinds import Chunk
from shared.lab.files import replacing, write_text

LIST, SEGMENTS, FORMAT = "index.json", "segments", 1


@dataclass(frozen=True)
class Indexed:
    """An index in memory.

    Args:
        documents: in the order of their names.
        chunks: of all documents; each one's `document` is a name.
        vectors: of the chunks; without features where the index has none.
    """

    documents: dict[str, Document]
    chunks: list[Chunk]
    vectors: Float[np.ndarray, "chunks features"]


@dataclass(frozen=True)
class Changes:
    """What an update did: names of files, and a sentence for each that could not be read."""

    added: list[str]
    removed: list[str]
    kept: int
    left_out: list[str]


class Store:
    """A folder with an index.

    Args:
        folder: made at the first update.
        encoder: makes the vectors.
        longest: characters of a chunk.
        most_bytes: of a file.
    """

    def __init__(self, folder: Path, encoder: Encoder, longest: int = 1000, most_bytes: int = MOST_BYTES) -> None:
        self.folder, self.encoder, self.longest, self.most_bytes = folder, encoder, longest, most_bytes
        self.made_with = {"model": encoder.fingerprint, "characters of a chunk": longest}

    def update(self, files: dict[str, Path], progress: Callable[[list[str]], Any] = lambda names: names) -> Changes:
        """Bring the index to what the files hold now; a file whose content it knows is not read again.

        Args:
            files: by name, as `find_files` returns them.
            progress: wraps the names of files that are worked on, for example in a bar.

        Raises:
            ValueError: the index is corrupt or was made with something else, or no file can be read.
        """
        (self.folder / SEGMENTS).mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / "lock"):
            if not (self.folder / LIST).exists():
                self._tidy(set())  # a segment does not say which model made it,
                self._write_list({})  # the list does, and so it comes first
            before = self._read_list()
            now, left_out = self._segments(files, progress)
            self._write_list(now)
            self._tidy(set(now.values()))
        added = [name for name, segment in now.items() if before.get(name) != segment]
        return Changes(added, sorted(set(before) - set(now)), len(now) - len(added), left_out)

    def load(self) -> Indexed:
        """Return the index; ValueError if there is none, it is corrupt, or was made with something else."""
        if not (self.folder / LIST).is_file():
            raise ValueError(f"there is no index in {self.folder}")
        with FileLock(self.folder / "lock"):  # an update could delete what the list names
            contents = {name: self._read_segment(segment) for name, segment in self._read_list().items()}
        documents, chunks, vectors = {}, [], []
        for name, content in contents.items():
            text, starts = content["text"].tobytes().decode("utf-8"), content["pages"].tolist()
            documents[name] = Document(name, text, tuple(starts))
            chunks += [Chunk(name, start, end, text[start:end]) for start, end in content["spans"].tolist()]
            vectors.append(content["vectors"])
        return Indexed(documents, chunks, np.concatenate(vectors) if vectors else np.zeros((0, 0), np.float32))

    def _segments(
        self, files: dict[str, Path], progress: Callable[[list[str]], Any]
    ) -> tuple[dict[str, str], list[str]]:
        """Return the name of the segment of each file, and a sentence for each file that cannot be read."""
        now: dict[str, str] = {}
        left_out: list[str] = []
        for name in progress(list(files)):
            try:
                now[name] = self._segment(name, files[name])
            except ValueError as error:
                left_out.append(str(error))
        if not now:
            raise ValueError(f"no file can be read: {left_out[0] if left_out else 'there is none'}")
        return now, left_out

    def _segment(self, name: str, path: Path) -> str:
        """Return the name of the segment of a file, which is made if there is none of this content."""
        content = read_content(path, name, self.most_bytes)
        made_of = f"{_checksum(content)}-{path.suffix[1:].lower()}"
        for there in sorted((self.folder / SEGMENTS).glob(f"{made_of}-*.npz")):
            if self._is_whole(there):
                return there.name
        document = as_document(name, content, self.most_bytes)
        chunks = cut_by_length(name, document.text, self.longest)
        texts = titled(document, chunks)
        vectors = np.zeros((len(texts), 0)) if self.encoder.encode is None else self.encoder.encode(texts)
        packed = io.BytesIO()
        np.savez(
            packed,
            text=np.frombuffer(document.text.encode("utf-8"), np.uint8),
            pages=np.array(document.pages, np.int64),
            spans=np.array([(chunk.start, chunk.end) for chunk in chunks], np.int64),
            vectors=vectors.astype(np.float32),
        )
        segment = f"{made_of}-{_checksum(packed.getvalue())}.npz"
        with replacing(self.folder / SEGMENTS / segment) as temporary:
            temporary.write_bytes(packed.getvalue())
        return segment

    def _is_whole(self, segment: Path) -> bool:
        return _checksum(segment.read_bytes()) == segment.stem.rpartition("-")[2]

    def _read_segment(self, segment: str) -> dict[str, np.ndarray]:
        path = self.folder / SEGMENTS / Path(segment).name
        if not path.is_file() or not self._is_whole(path):
            raise self._corrupt(f"{path.name[:12]}... is {'damaged' if path.is_file() else 'missing'}")
        try:
            with np.load(path, allow_pickle=False) as content:
                return {name: content[name] for name in ("text", "pages", "spans", "vectors")}
        except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
            raise self._corrupt(f"{path.name[:12]}...: {error}") from None

    def _read_list(self) -> dict[str, str]:
        try:
            read = json.loads((self.folder / LIST).read_text(encoding="utf-8"))
            seal, made_with, files = read.pop("seal"), read["made with"], read["files"]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise self._corrupt(f"{LIST} is no list of an index") from None
        if seal != _checksum(json.dumps(read, sort_keys=True).encode()) or read.get("format") != FORMAT:
            raise self._corrupt(f"{LIST} is not as it was written")
        if made_with != self.made_with:
            was, now = (
                "; ".join(f"{name} {value}" for name, value in one.items()) for one in (made_with, self.made_with)
            )
            raise ValueError(
                f"the index in {self.folder} was made with {was}, and this is {now} ({self.encoder.name}): "
                "take another folder for it, or delete that one"
            )
        return files

    def _write_list(self, files: dict[str, str]) -> None:
        content: dict[str, Any] = {"format": FORMAT, "made with": self.made_with, "files": files}
        content["seal"] = _checksum(json.dumps(content, sort_keys=True).encode())
        write_text(self.folder / LIST, json.dumps(content, indent=1, ensure_ascii=False) + "\n")

    def _tidy(self, named: set[str]) -> None:
        """Delete segments that the list does not name, and what killed processes were about to write."""
        for path in [*(self.folder / SEGMENTS).iterdir(), *self.folder.glob(".*.tmp*")]:
            if path.name not in named:
                path.unlink(missing_ok=True)

    def _corrupt(self, what: str) -> ValueError:
        return ValueError(f"the index in {self.folder} is corrupt ({what}): delete the folder, and index again")


def index_name(folder: Path, model: str) -> str:
    """Return a name for the index of a folder, which another folder or model does not get."""
    place = folder.resolve()
    return f"{place.name}-{_checksum(str(place).encode())[:8]}-{model}"


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
