"""A linker: windows are chosen on validation, weights learnt on training; below a threshold it says "no entry"."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from knowledge.candidate_choice import Scores, hits, learn_weights, log_softmax
from knowledge.linking_exam import LinkExam, stacked

SUM, TITLE_THEN_PRIOR = "weighted sum", "equal title, then prior"


class Linker:
    """Chooses among the candidates of an examination.

    Args:
        exam: what it is set up with.
        windows: numbers of words on each side that each score by context tries.
    """

    def __init__(self, exam: LinkExam, windows: Sequence[int]) -> None:
        self.exam = exam
        self.windows = {name: exam.best_window(name, windows) for name in exam.by_context_names}
        evidence = exam.evidence(0, self.windows)
        self.weights = dict(zip(evidence, learn_weights(stacked(evidence), exam.options[0]).tolist(), strict=True))

    def scores(self, part: int) -> dict[str, Scores]:
        """Return the scores of a part's candidates by each rule: each evidence alone, and their weighted sum."""
        evidence = self.exam.evidence(part, self.windows)
        found = dict(evidence)
        if "equal title" in evidence:
            large = 1 + float(evidence["prior"].abs().max()) * 2
            found[TITLE_THEN_PRIOR] = found.pop("equal title") * large + evidence["prior"]
        return found | {SUM: stacked(evidence) @ torch.tensor(list(self.weights.values()))}


@dataclass(frozen=True, eq=False)
class Refusals:
    """What becomes of answers when the linker may say that no entry is meant.

    Args:
        threshold: the probability that its best candidate needs.
        always: (questions), whether it is right if it always answers.
        right: (questions), whether it is right with the threshold.
        refused: (questions), whether it says "no entry".
        none: (questions), whether there is none.
    """

    threshold: float
    always: Float[Tensor, " questions"]
    right: Float[Tensor, " questions"]
    refused: Bool[Tensor, " questions"]
    none: Bool[Tensor, " questions"]


def refusals(linker: Linker, tested: Scores) -> Refusals:
    """Return what a threshold, the best one on validation, makes of the test.

    Args:
        linker: which has been set up.
        tested: its weighted sums on the test.
    """
    parts = []
    for part, scores in ((1, linker.scores(1)[SUM]), (2, tested)):
        options = linker.exam.options[part]
        best = log_softmax(scores, options.allowed).amax(dim=1).exp()
        parts.append((best, hits(scores, options), options.answers < 0))
    best, right, none = parts[0]
    tried = torch.cat([torch.zeros(1), best.unique()])
    threshold = max(tried.tolist(), key=lambda value: float(answers(best, right, none, value).sum()))
    best, right, none = parts[1]
    return Refusals(threshold, right, answers(best, right, none, threshold), best < threshold, none)


def answers(
    best: Float[Tensor, " questions"],
    right: Float[Tensor, " questions"],
    none: Bool[Tensor, " questions"],
    threshold: float,
) -> Float[Tensor, " questions"]:
    """Return whether each answer is right if what is less probable than a threshold is refused."""
    return torch.where(best < threshold, none.float(), right)
