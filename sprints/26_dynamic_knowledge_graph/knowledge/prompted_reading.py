"""A language model among the other readers of `readers.py`, with what it costs and what it makes up."""

import time
from collections.abc import Mapping, Sequence

from tqdm import tqdm

from knowledge.news import Piece
from knowledge.prompted_tagger import PromptedTagger
from knowledge.readers import Found, Reader
from knowledge.writing import Written
from shared.nn.pretrained import load_causal_model

SIDE_BY_SIDE = 8  # sentences that the model reads at once


class ModelReaders:
    """Makes readers of one model, and keeps account of them by way and number of shots.

    Args:
        name: as for `load_causal_model`: "smollm2", or a folder.
        forms: of the prompt, one of `FORMS` for each way.
    """

    def __init__(self, name: str, forms: Mapping[str, str]) -> None:
        self.model, self.tokenizer = load_causal_model(name)
        self.forms = forms
        self.dropped: dict[tuple[str, int], list[float]] = {}  # share of the lines of which no mention could be made
        self.examples: list[tuple[str, str]] = []  # a sentence and such a line
        self.seconds_of_shots: dict[tuple[str, int], list[float]] = {}
        self.seconds_per_sentence: dict[tuple[str, int], list[float]] = {}

    def reader(self, shots: Sequence[Piece], way: str) -> Reader:
        """Return a reader that is shown these sentences; it finds mentions, and no claims."""
        key, begun = (way, len(shots)), time.perf_counter()
        tagger = PromptedTagger(self.model, self.tokenizer, shots, way, self.forms[way])
        self.seconds_of_shots.setdefault(key, []).append(time.perf_counter() - begun)

        def read(pieces: Sequence[Piece]) -> Found:
            texts, begun, found = [piece.record.text for piece in pieces], time.perf_counter(), list[Written]()
            for start in tqdm(range(0, len(texts), SIDE_BY_SIDE), desc=f"{len(shots)} shots, {way}", leave=False):
                found += tagger.read(texts[start : start + SIDE_BY_SIDE])
            self.seconds_per_sentence.setdefault(key, []).append((time.perf_counter() - begun) / len(texts))
            lines = [(text, line) for text, one in zip(texts, found, strict=True) for line in one.dropped]
            kept = sum(len(one.mentions) for one in found)
            self.dropped.setdefault(key, []).append(len(lines) / max(1, len(lines) + kept))
            self.examples += lines
            return [(one.mentions, []) for one in found]

        return read
