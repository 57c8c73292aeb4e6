"""Rules, a list of words, or a tagger that is trained? Mentions and claims in news, with names seen before and unseen.

    uv run sprints/26_dynamic_knowledge_graph/read_sentences.py
    uv run sprints/26_dynamic_knowledge_graph/read_sentences.py --sentences 300 --seeds 1

All readers are shown the same sentences, of a world of their own for each seed. Theory: notes/07_reading_a_sentence.md
"""

from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tqdm import tqdm

from knowledge.readers import TAGGERS, best_reader, news_of, scores, simple_readers, trained_reader
from knowledge.rules import Rules
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Fraction, PositiveFloat, PositiveInt
from shared.lab.run import run

OPTIMA = {"optimum": True, "optimum without names": False}  # whether the reader knows the lists of names
NAMES = ("seen", "unseen")
FIRST_WORLD = 100  # steps and hidden words were chosen in worlds 0 and 1; the learning rate was not varied


@dataclass(frozen=True)
class Config(ScriptConfig):
    sentences: tuple[PositiveInt, ...] = (30, 100, 300, 1000)  # shown to each reader
    seeds: PositiveInt = 5  # worlds to learn from, each with two to be tested in
    tested: PositiveInt = 400  # things that happen in a world of the test; some 1.7 sentences are written of each
    steps: PositiveInt = 600  # of Adam
    learning_rate: PositiveFloat = 3e-3  # at the beginning; it falls to 0
    hidden_words: Fraction = 0.3  # of the words in training


@dataclass(frozen=True)
class Results:
    """For "seen" and "unseen" names, by reader."""

    f1: dict[str, dict[str, list[MeanInterval]]]  # of mentions, by number of sentences shown
    claims: dict[str, dict[str, list[MeanInterval]]]  # precision, recall and F1 of claims, after the most sentences
    best: dict[str, dict[str, MeanInterval]]  # F1 of mentions of the best readers
    behind: dict[str, dict[str, MeanInterval]]  # the optimum, in points of F1 of mentions, world by world
    sentences: list[int]
    rules: list[MeanInterval]  # how many of the rules the sentences have a use for


def one_world(config: Config, seed: int) -> tuple[dict[tuple[str, str, int], list[float]], list[float]]:
    """Return the scores by names, reader and number of sentences (0 for the optima), and how many rules are used."""
    most, world = max(config.sentences), FIRST_WORLD + 3 * seed
    shown = news_of(world, most)[:most]
    tests = {name: news_of(world + 1 + second, config.tested, bool(second)) for second, name in enumerate(NAMES)}
    found: dict[tuple[str, str, int], list[float]] = {}
    options = (seed, config.steps, config.learning_rate, config.hidden_words)
    for count in config.sentences:
        made = simple_readers(shown[:count])
        for name in TAGGERS if count == most else ("tagger",):
            made[name] = trained_reader(name, shown[:count], *options)
        for names, pieces in tests.items():
            found |= {(names, name, count): scores(pieces, read(pieces)) for name, read in made.items()}
    for names, pieces in tests.items():
        for name, known in OPTIMA.items():
            found[names, name, 0] = scores(pieces, best_reader(names == "unseen", known)(pieces))
    return found, [float(len(Rules(shown[:count]).rules)) for count in config.sentences]


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    worlds = [one_world(config, seed) for seed in tqdm(range(config.seed, config.seed + config.seeds), unit="world")]
    runs, most = [found for found, _ in worlds], max(config.sentences)
    everyone = ["rules", "list of words", *TAGGERS, "true mentions"]

    def mean(names: str, name: str, count: int, column: int) -> MeanInterval:
        return mean_interval([run[names, name, count][column] for run in runs])

    f1 = {
        names: {
            name: [mean(names, name, count, 0) for count in config.sentences if (names, name, count) in runs[0]]
            for name in everyone[:-1]
        }
        for names in NAMES
    }
    claims = {
        names: {name: [mean(names, name, most, column) for column in (1, 2, 3)] for name in everyone}
        | {name: [mean(names, name, 0, column) for column in (1, 2, 3)] for name in OPTIMA}
        for names in NAMES
    }
    best = {names: {name: mean(names, name, 0, 0) for name in OPTIMA} for names in NAMES}
    behind = {
        names: {
            name: mean_interval([100 * (run[names, "optimum", 0][0] - run[names, name, most][0]) for run in runs])
            for name in everyone[:-1]
        }
        for names in NAMES
    }
    for names in NAMES:
        for name in everyone[:-1]:
            shown = " ".join(f"{value[0]:.3f}" for value in f1[names][name])
            print(f"{names:<6} {name:<23} F1 of mentions {shown}, of claims {claims[names][name][2][0]:.3f}")
        print(f"{names:<6} " + ", ".join(f"{name} {value[0]:.3f}" for name, value in best[names].items()))
    rules = [mean_interval([numbers[place] for _, numbers in worlds]) for place in range(len(config.sentences))]
    return Results(f1, claims, best, behind, list(config.sentences), rules)


def draw(axes: Axes, names: str, results: Results) -> None:
    """Draw F1 by the number of sentences for one kind of names, and the optima as lines."""
    for colour, name in enumerate(("rules", "list of words", "tagger")):
        values = results.f1[names][name]
        halves = error_bars([half for _, half in values])
        axes.errorbar(
            results.sentences, [value for value, _ in values], halves, color=COLOURS[colour], marker="o", label=name
        )
    for style, (name, (value, _)) in zip(("-", ":"), results.best[names].items(), strict=True):
        axes.axhline(value, color="black", linewidth=1, linestyle=style, label=name)
    axes.set(xscale="log", ylim=(-0.03, 1.03), xlabel="sentences shown", title=f"{names} names")
    axes.set_xticks(results.sentences, [str(count) for count in results.sentences])
    axes.minorticks_off()


def plot(results: Results) -> Figure:
    """Draw both kinds of names side by side."""
    figure, axes = new_figure(7.2, 3.6, columns=2)
    for panel, names in zip(axes, NAMES, strict=True):
        draw(panel, names, results)
    axes[0].set_ylabel("F1 of mentions")
    axes[0].legend(loc="lower right", fontsize=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TRAINED})
