"""The examination of links: mentions of one kind, in three parts by the text they stand in; what speaks for whom?"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from knowledge.candidate_choice import Features, Options, Scores, hits, options_of
from knowledge.link_scores import Vectors, WordIndex, around_mentions, cosines, prior
from knowledge.linking import FORMS, HIDDEN, Dictionary, Question, ask, split_sources, whole, words_of

BY_CONTEXT = ("BM25", "vectors of words", "around other mentions")
ENCODED = "MiniLM"
Encode = Callable[[Sequence[str]], Vectors]
AT_ONCE = 500  # questions that are scored against all entries together


@dataclass
class LinkExam:
    """Questions of a kind, and scores of their candidates.

    Args:
        dictionary: the entries.
        kind: "hidden", or a key of FORMS.
        most: questions of training, validation and test that are used, at most.
        seed: of what draws the parts, and which questions are used.
        features: numbers in a vector of words.
        most_of_text: questions from one text, at most: one long list would outweigh a thousand texts.
        own_title: words of the source's own name stay in the context.
        encode: makes a unit vector of each text, one more score by context; None: there is no such score.
    """

    dictionary: Dictionary
    kind: str
    most: tuple[int, int, int]
    seed: int
    features: int = 1024
    most_of_text: int = 10
    own_title: bool = False
    encode: Encode | None = None
    parts: list[list[Question]] = field(init=False)

    def __post_init__(self) -> None:
        number, generator = len(self.dictionary.names), torch.Generator().manual_seed(self.seed)
        sources = split_sources(number, generator)
        asked = self._few_of_each(ask(self.dictionary, self.kind, self.own_title), generator)
        self.everything = [q for q in asked if q.source in sources[0] and q.entry is not None]  # of training
        self.parts = []
        for part, most in zip(sources, self.most, strict=True):
            self.parts.append([q for q in asked if q.source in part][:most])  # they are in random order
        self.parts[0] = self.everything[: self.most[0]]
        self.options = [options_of(part, number) for part in self.parts]
        texts = [
            [word for name in names for word in words_of(name)] + text
            for names, text in zip(self.dictionary.names, self.dictionary.texts, strict=True)
        ]
        self.index = WordIndex(texts)
        self.of_entries = self.index.vectors(texts, self.features)
        self.encoded = None if self.encode is None else self.encode([" ".join(text) for text in texts])
        meant = [r.entry for r in self.dictionary.references if r.source in sources[0] and r.entry is not None]
        self.times = torch.bincount(torch.tensor(meant), minlength=number)
        self._around: dict[int, Vectors] = {}

    def _few_of_each(self, questions: list[Question], generator: torch.Generator) -> list[Question]:
        taken, left = [], Counter()
        for place in torch.randperm(len(questions), generator=generator).tolist():
            left[questions[place].source] += 1
            if left[questions[place].source] <= self.most_of_text:
                taken.append(questions[place])
        return taken

    @property
    def by_context_names(self) -> tuple[str, ...]:
        """Return the names of the scores by context."""
        return BY_CONTEXT if self.encode is None else (*BY_CONTEXT, ENCODED)

    def around(self, window: int) -> Float[Tensor, "entries features"]:
        """Return what stands around the mentions of each entry in training, as a sum of vectors."""
        if window not in self._around:
            number = len(self.dictionary.names)
            total = torch.zeros(number, self.features)
            for start in range(0, len(self.everything), 4 * AT_ONCE):
                some = self.everything[start : start + 4 * AT_ONCE]
                vectors = self.index.vectors([q.context(window) for q in some], self.features)
                total += around_mentions(vectors, torch.tensor([q.entry for q in some]), number)
            self._around = {window: total}  # only the last one is kept
        return self._around[window]

    def by_context(self, part: int, name: str, window: int) -> Scores:
        """Return the scores of the candidates of a part by a score of a name, from so many words on each side."""
        questions, options, found = self.parts[part], self.options[part], []
        for start in range(0, len(questions), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            contexts = [question.context(window) for question in questions[some]]
            here = Options(options.entries[some], options.allowed[some], options.answers[some])
            if name == "BM25":
                found.append(here.take(self.index.bm25(contexts)))
                continue
            if name == ENCODED:
                assert self.encode is not None
                assert self.encoded is not None
                vectors = self.encode([" ".join(context) for context in contexts])
                found.append(here.take(cosines(vectors, self.encoded)))
                continue
            vectors = self.index.vectors(contexts, self.features)
            if name == "vectors of words":
                found.append(here.take(cosines(vectors, self.of_entries)))
                continue
            scores = here.take(cosines(vectors, self.around(window)))
            if part == 0:  # its own context must not speak for the right one
                entries = torch.tensor([question.entry for question in questions[some]])
                others = torch.nn.functional.normalize(self.around(window)[entries] - vectors, dim=1, eps=1e-3)
                scores = scores.scatter(1, here.answers[:, None], (vectors * others).sum(dim=1, keepdim=True))
            found.append(scores)
        return torch.cat(found)

    def prior(self, part: int) -> Scores:
        """Return the logarithm of how often each candidate is meant in training; a question does not count itself."""
        options = self.options[part]
        times = self.times[options.entries]
        if part == 0:
            times = times.scatter_add(1, options.answers[:, None], -torch.ones_like(options.answers)[:, None])
        return prior(times)

    def exact(self, part: int) -> Scores:
        """Return 1 for candidates that have a name which is equal to what is written, capitals aside, and else 0."""
        options = self.options[part]
        found = torch.zeros(options.entries.shape)
        for row, question in enumerate(self.parts[part]):
            for column, entry in enumerate(question.candidates or ()):
                found[row, column] = any(whole(name) == question.written for name in self.dictionary.names[entry])
        return found

    def best_window(self, name: str, windows: Sequence[int]) -> int:
        """Return the window with which a score is most often right on the validation part."""
        options = self.options[1]
        return max(windows, key=lambda window: float(hits(self.by_context(1, name, window), options).mean()))

    def evidence(self, part: int, windows: dict[str, int]) -> dict[str, Scores]:
        """Return all scores of a part, by name: the prior, titles where they differ, and what has a window."""
        found = {"prior": self.prior(part)}
        if self.kind != HIDDEN and FORMS[self.kind] is not whole:
            found["equal title"] = self.exact(part)
        return found | {name: self.by_context(part, name, window) for name, window in windows.items()}


def stacked(evidence: dict[str, Scores]) -> Features:
    """Return scores as features, in the order of their names' coming."""
    return torch.stack(list(evidence.values()), dim=2)
