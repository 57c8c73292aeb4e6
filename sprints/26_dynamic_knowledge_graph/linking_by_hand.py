"""Which sage is meant? A dictionary of five entries, two kinds of evidence, and one step that learns their weights.

    uv run sprints/26_dynamic_knowledge_graph/linking_by_hand.py
    uv run sprints/26_dynamic_knowledge_graph/linking_by_hand.py --times 1 2 2

Theory: notes/08_which_entry_is_meant.md
"""

from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from knowledge.candidate_choice import log_softmax
from knowledge.link_scores import WordIndex, prior
from knowledge.linking import Dictionary, Reference, ask, words_of
from shared.lab.compare import ROUNDING
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import NonNegativeInt, PositiveFloat
from shared.lab.run import run

ENTRIES = {
    "sage": "a herb with grey leaves, fried in butter",
    "SAGE": "a layer of a graph network: the mean of the neighbours",
    "Sage": "a firm that sells software for the books of shops",
    "butter": "the fat of milk",
    "noodles": "melt butter, add leaves of sage and lemon",
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    times: tuple[NonNegativeInt, NonNegativeInt, NonNegativeInt] = (1, 6, 2)  # sage, SAGE and Sage were meant before
    rate: PositiveFloat = 0.5  # learning rate of the step


@dataclass(frozen=True)
class Results:
    """By candidate, in the order of the entries: features, and probabilities before and after a step."""

    context: list[str]
    worth: dict[str, float]  # of each word of the context that stands in an entry of another name
    prior: list[float]
    words: list[float]
    weights: list[list[float]]  # of prior and words: before, after
    probability: list[list[float]]
    slope: list[float]


def main(config: Config) -> Results:
    texts = [words_of(text) for text in ENTRIES.values()]
    place = texts[4].index("sage")
    dictionary = Dictionary([(name,) for name in ENTRIES], texts, [Reference(4, place, place + 1, "sage", 0)])
    (question,) = ask(dictionary, "no capitals")
    context, candidates = question.context(10), torch.tensor(question.candidates)
    index = WordIndex([words_of(name) + text for name, text in zip(ENTRIES, texts, strict=True)])
    worth = {word: float(index.idf[index.numbers[word]]) for word in context}
    # With k1 = 0 a word counts once, however often it stands in an entry, and a long entry pays nothing.
    features = torch.stack([prior(torch.tensor(config.times)), index.bm25([context], k1=0.0)[0, candidates]], dim=1)

    weights = [torch.ones(2, requires_grad=True)]
    loss = -log_softmax((features @ weights[0])[None], torch.ones(1, 3, dtype=torch.bool))[0, 0]
    (slope,) = torch.autograd.grad(loss, weights[0])
    weights.append(weights[0] - config.rate * slope)
    probability = [(features @ w).softmax(dim=0).tolist() for w in weights]
    print(f"context: {' '.join(context)}")
    for row, name in enumerate(list(ENTRIES)[:3]):
        before, after = (shares[row] for shares in probability)
        print(f"{name}: prior {features[row, 0]:.3f}, words {features[row, 1]:.3f}: {before:.1%}, after {after:.1%}")
    shown = [w.tolist() for w in weights]
    print(f"weights of prior and words: {shown[0]}, slope {slope.tolist()}, then {shown[1]}")
    return Results(context, worth, *features.T.tolist(), shown, probability, slope.tolist())


def draw_sums(axes: Axes, results: Results, step: int) -> None:
    """Draw for each candidate what prior and words add to its score."""
    by_prior, by_words = results.weights[step]
    for row, name in enumerate(list(ENTRIES)[:3]):
        parts = by_prior * results.prior[row], by_words * results.words[row]
        axes.barh(-row, parts[0], color="#999999")
        axes.barh(-row, parts[1], left=parts[0], color=COLOURS[0])
        for left, part in ((0.0, parts[0]), (parts[0], parts[1])):
            if part > 0.27:
                axes.text(left + part / 2, -row, f"{part:.2f}", ha="center", va="center", color="white", fontsize=8)
        share = results.probability[step][row]
        axes.text(max(0.0, sum(parts)) + 0.05, -row, f"{sum(parts):.2f}: {share:.0%}", va="center", fontsize=9)
        axes.text(-0.05, -row, name, ha="right", va="center")
        if row == 0:
            axes.text(0, 0.45, "prior", color="#666666", fontsize=9)
            axes.text(max(parts[0], 0.45), 0.45, "words", color=COLOURS[0], fontsize=9)
    axes.set_yticks([])
    axes.set_title(f"{by_prior:.2f} · prior + {by_words:.2f} · words", fontsize=10, loc="left")
    axes.set(xlim=(-0.45, 3.1), ylim=(-2.5, 0.75), xlabel="score")


def plot(results: Results) -> Figure:
    """Draw the scores before and after the step; grey is the prior's part, blue that of the words."""
    figure, axes = new_figure(7, 2.9, columns=2)
    for step, panel in enumerate(axes):
        draw_sums(panel, results, step)
    figure.suptitle(f'noodles: "{ENTRIES["noodles"].replace("sage", "____")}"', fontsize=11)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": ROUNDING})
