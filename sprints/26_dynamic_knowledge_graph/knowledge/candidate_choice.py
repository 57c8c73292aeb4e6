"""A choice among candidates: weights of what speaks for each are learnt by a softmax; is the best one right?"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from knowledge.linking import Question

Features = Float[Tensor, "questions candidates features"]
Scores = Float[Tensor, "questions candidates"]
Interval = tuple[float, float, float]  # a value, and the ends of its 95 % interval
MOST_STEPS, ENOUGH = 50, 1e-6  # of Newton's method; a step that gains less is the last one


@dataclass(frozen=True, eq=False)
class Options:
    """The candidates of some questions.

    Args:
        entries: (questions, candidates), their numbers; where there are fewer, entry 0 fills the row.
        allowed: (questions, candidates), False for what fills a row or must not be chosen.
        answers: (questions), the column of the right one; -1 where none is right.
    """

    entries: Int[Tensor, "questions candidates"]
    allowed: Bool[Tensor, "questions candidates"]
    answers: Int[Tensor, " questions"]

    def take(self, scores: Float[Tensor, "questions entries"]) -> Scores:
        """Return the scores of the candidates among those of all entries."""
        return scores.gather(1, self.entries)


def options_of(questions: Sequence[Question], number: int) -> Options:
    """Return the candidates of questions of one kind in a dictionary of `number` entries.

    Raises:
        ValueError: there is no question.
    """
    if not questions:
        raise ValueError("there is no question: give a larger dictionary, or another kind of mention")
    if questions[0].candidates is None:
        entries = torch.arange(number).expand(len(questions), number)
        allowed = torch.ones(len(questions), number, dtype=torch.bool)
        for row, question in enumerate(questions):
            allowed[row, list(question.excluded)] = False
        answers = [-1 if question.entry is None else question.entry for question in questions]
        return Options(entries, allowed, torch.tensor(answers))
    rows = [question.candidates or [] for question in questions]
    widest = max(len(row) for row in rows)
    entries = torch.tensor([row + [0] * (widest - len(row)) for row in rows])
    allowed = torch.arange(widest) < torch.tensor([len(row) for row in rows])[:, None]
    answers = [
        -1 if question.entry is None else row.index(question.entry)
        for question, row in zip(questions, rows, strict=True)
    ]
    return Options(entries, allowed, torch.tensor(answers))


def log_softmax(scores: Scores, allowed: Bool[Tensor, "questions candidates"]) -> Scores:
    """Return the logarithm of each candidate's probability, -inf for what is not allowed."""
    return scores.masked_fill(~allowed, -torch.inf).log_softmax(dim=1)


def slope_and_curvature(
    features: Features, chances: Scores, answers: Int[Tensor, " questions"]
) -> tuple[Float[Tensor, " features"], Float[Tensor, "features features"]]:
    """Return the first and second derivatives of the mean of -log P(right candidate) by the weights.

    Args:
        features: what speaks for each candidate.
        chances: P of each candidate with these weights.
        answers: the column of the right one.
    """
    rows = torch.arange(len(answers))
    expected = torch.einsum("qc,qcf->qf", chances, features)  # (questions, features)
    slope = (expected - features[rows, answers]).mean(dim=0)
    squares = torch.einsum("qc,qcf,qcg->fg", chances, features, features) / len(rows)
    return slope, squares - expected.mT @ expected / len(rows)


def learn_weights(features: Features, options: Options, ridge: float = 1e-3) -> Float[Tensor, " features"]:
    r"""Return the weights that make the right candidates most probable, $P(c) \propto e^{w \cdot f_c}$.

    This is logistic regression with as many classes as there are candidates, and the same weights for all of them
    (McFadden 1974, *Conditional Logit Analysis of Qualitative Choice Behavior*). The loss is convex, with the slope
    $E[f] - f_{\text{right}}$ and the curvature $\mathrm{Cov}[f]$, both under P: Newton's steps end after a few.

    Args:
        features: what speaks for each candidate.
        options: the candidates; every question must have a right one.
        ridge: times the sum of the squared weights is added to the loss, on features of standard deviation 1.

    Raises:
        ValueError: a question without a right candidate, or whose right one is not allowed.
    """
    rows = torch.arange(len(features))
    if (options.answers < 0).any() or not options.allowed[rows, options.answers].all():
        raise ValueError("every question that weights are learnt from needs a right candidate that is allowed")
    spread = features[options.allowed].std(dim=0).clamp(min=1e-6)
    scaled = features / spread
    weights, step, lowest = torch.zeros(features.shape[2]), torch.zeros(features.shape[2]), float("inf")
    for _ in range(MOST_STEPS):
        log_chances = log_softmax(scaled @ (weights + step), options.allowed)
        loss = float(ridge * (weights + step).square().sum() - log_chances[rows, options.answers].mean())
        if loss > lowest:  # too far: half the way
            step = step / 2
            continue
        weights, gained, lowest = weights + step, lowest - loss, loss
        if gained < ENOUGH:
            break
        slope, curvature = slope_and_curvature(scaled, log_chances.exp(), options.answers)
        penalty = 2 * ridge * torch.eye(len(weights))
        step = -torch.linalg.solve(curvature + penalty, slope + penalty @ weights)
    return weights / spread


def hits(scores: Scores, options: Options, best: int = 1) -> Float[Tensor, " questions"]:
    """Return for each question the probability that the right candidate is among the `best`, ties broken at random."""
    scores = scores.masked_fill(~options.allowed, -torch.inf)
    right = scores.gather(1, options.answers.clamp(min=0)[:, None])
    better = (scores > right).sum(dim=1)
    equal = (scores == right).sum(dim=1)
    return ((best - better) / equal).clamp(0, 1) * (options.answers >= 0)


def grouped_interval(
    values: Float[Tensor, " questions"],
    groups: Int[Tensor, " questions"],
    generator: torch.Generator,
    resamples: int = 1000,
) -> Interval:
    """Return the mean of values and its 95 % interval by the bootstrap over groups: whole groups are drawn.

    Args:
        values: of each question.
        groups: the source of each question; what comes from one source is not independent.
        generator: draws the resamples.
        resamples: how many.
    """
    group = groups.unique(return_inverse=True)[1]
    number = int(group.max()) + 1
    sums = torch.zeros(number, dtype=torch.double).index_add_(0, group, values.double())
    sizes = torch.bincount(group).double()
    drawn = torch.randint(number, (resamples, number), generator=generator)
    means = sums[drawn].sum(dim=1) / sizes[drawn].sum(dim=1)
    low, high = means.quantile(torch.tensor([0.025, 0.975], dtype=torch.double)).tolist()
    return float(values.double().mean()), low, high
