"""Does a language model that was never trained on it find the mentions? A few sentences are shown in its prompt.

    uv run sprints/26_dynamic_knowledge_graph/prompt_to_tag.py
    uv run sprints/26_dynamic_knowledge_graph/prompt_to_tag.py --model smollm2 --shots 16 --tested 8 --seeds 1

Rules, list of words and tagger are shown the same few sentences. The default is these alone; SmolLM2 (group models)
needs about ten minutes. Theory: notes/07_reading_a_sentence.md
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Literal

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from knowledge.prompted_reading import ModelReaders
from knowledge.readers import Reader, best_reader, news_of, simple_readers, trained_reader
from knowledge.spans import Score, score
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Fraction, PositiveFloat, PositiveInt
from shared.lab.run import run

PRESETS = {"smollm2": {"model": "smollm2"}}
NAMES = ("seen", "unseen")
WAYS = {"lines": "model, writes lines", "tags": "model, a tag for each word"}
FIRST_WORLD = {"validation": 0, "test": 200}
MANY, BEST = "tagger, many sentences", "optimum"
AS_CHOSEN_FOR_MANY = (600, 3e-3, 0.3)  # in read_sentences.py: steps, learning rate, share of hidden words

Form = Literal["plain", "task", "chat"]


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = ""  # beside the other readers: nothing, smollm2 (group models), or a folder of transformers
    shots: tuple[PositiveInt, ...] = (4, 8, 16, 32)  # sentences that are shown
    ways: tuple[Literal["lines", "tags"], ...] = ("lines", "tags")  # what the model writes
    form_of_lines: Form = "chat"  # how the prompt looks; chosen in the validation worlds
    form_of_tags: Form = "plain"  # as that of lines
    worlds: Literal["validation", "test"] = "test"  # where the choices were made, or the figures
    seeds: PositiveInt = 5  # worlds to be shown sentences of, each with two to be tested in
    tested: PositiveInt = 20  # sentences of each of these two
    many: PositiveInt = 1000  # sentences that a tagger is shown for comparison
    steps: PositiveInt = 400  # of Adam, of the tagger that is shown few; chosen in the validation worlds
    learning_rate: PositiveFloat = 3e-3  # at the beginning; it falls to 0
    hidden_words: Fraction = 0.5  # of the words in training, where few are shown; chosen as the steps


@dataclass(frozen=True)
class Results:
    """For "seen" and "unseen" names, by reader and then by number of sentences shown."""

    f1: dict[str, dict[str, list[MeanInterval]]]  # of mentions
    precision: dict[str, dict[str, list[MeanInterval]]]
    recall: dict[str, dict[str, list[MeanInterval]]]
    many: dict[str, MeanInterval]  # F1 of a tagger that was shown many
    best: dict[str, MeanInterval]  # F1 of the best reader
    shots: list[int]
    ahead: dict[str, list[MeanInterval]]  # points of F1 by which the model is ahead of the tagger, both kinds of names
    dropped: list[MeanInterval]  # share of the model's lines that name nothing in the sentence, by sentences shown
    examples: list[tuple[str, str]]  # a sentence and such a line
    seconds_of_shots: dict[str, list[float]]  # to read them once
    seconds_per_sentence: dict[str, list[float]]


def one_world(config: Config, seed: int, model: ModelReaders | None) -> dict[tuple[str, str, int], Score]:
    """Return the scores by names, reader and number of sentences shown (0 for the best reader)."""
    world = FIRST_WORLD[config.worlds] + 3 * seed
    shown = news_of(world, config.many)[: config.many]
    tests = {name: news_of(world + 1 + second, config.tested, bool(second)) for second, name in enumerate(NAMES)}
    options = (seed, config.steps, config.learning_rate, config.hidden_words)
    found: dict[tuple[str, str, int], Score] = {}

    def test(name: str, count: int, names: str, read: Reader) -> None:
        pieces = tests[names][: config.tested]
        found[names, name, count] = score([one for one, _ in read(pieces)], [piece.mentions for piece in pieces])

    for count in config.shots:
        readers = simple_readers(shown[:count]) | {"tagger": trained_reader("tagger", shown[:count], *options)}
        readers |= {WAYS[way]: model.reader(shown[:count], way) for way in config.ways} if model else {}
        for name in readers.keys() - {"true mentions"}:
            for names in NAMES:
                test(name, count, names, readers[name])
    tagger = trained_reader("tagger", shown, seed, *AS_CHOSEN_FOR_MANY)
    for second, names in enumerate(NAMES):
        test(MANY, 0, names, tagger)
        test(BEST, 0, names, best_reader(bool(second), True))
    return found


def gains(worlds: Sequence[dict[tuple[str, str, int], Score]], name: str, count: int) -> list[float]:
    """Return by how many points of F1 a reader is ahead of the tagger, the mean of seen and unseen names, by world."""
    return [mean(100 * (one[key, name, count].f1 - one[key, "tagger", count].f1) for key in NAMES) for one in worlds]


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    model = (
        ModelReaders(config.model, {"lines": config.form_of_lines, "tags": config.form_of_tags})
        if config.model
        else None
    )
    worlds = [
        one_world(config, seed, model) for seed in tqdm(range(config.seed, config.seed + config.seeds), unit="world")
    ]
    everyone = ["list of words", "rules", "tagger", *[WAYS[way] for way in config.ways if model]]

    def means(names: str, name: str, column: int, counts: tuple[int, ...] = config.shots) -> list[MeanInterval]:
        return [mean_interval([found[names, name, count][column] for found in worlds]) for count in counts]

    precision, recall, f1 = (
        {names: {name: means(names, name, column) for name in everyone} for names in NAMES} for column in range(3)
    )
    many, best = ({names: means(names, name, 2, (0,))[0] for names in NAMES} for name in (MANY, BEST))
    for names in NAMES:
        for name in everyone:
            print(f"{names:<6} {name:<27} F1 {' '.join(f'{value:.3f}' for value, _ in f1[names][name])}")
        print(f"{names:<6} {MANY} {many[names][0]:.3f}, {BEST} {best[names][0]:.3f}")
    found = (f1, precision, recall, many, best, list(config.shots))
    if model is None:
        print("a language model reads beside them with --model smollm2 (group models)")
        return Results(*found, {}, [], [], {}, {})
    ways = [way for way in config.ways if way == "lines"]
    ahead = {
        WAYS[way]: [mean_interval(gains(worlds, WAYS[way], count)) for count in config.shots] for way in config.ways
    }
    dropped = [mean_interval(model.dropped[way, count]) for way in ways for count in config.shots]
    seconds = [
        {WAYS[way]: [mean(taken[way, count]) for count in config.shots] for way in config.ways}
        for taken in (model.seconds_of_shots, model.seconds_per_sentence)
    ]
    print(f"seconds of the shots and of a sentence: {seconds}; lines dropped: {dropped}; ahead: {ahead}")
    return Results(*found, ahead, dropped, model.examples[:8], *seconds)


def plot(results: Results) -> Figure:
    """Draw F1 by the number of sentences shown, for both kinds of names."""
    figure, axes = new_figure(7.2, 3.8, columns=2)
    for panel, names in zip(axes, NAMES, strict=True):
        for colour, (name, values) in enumerate(results.f1[names].items()):
            halves = error_bars([half for _, half in values])
            shifted = [count * 1.03 ** (colour - 2) for count in results.shots]  # so that no interval hides another
            panel.errorbar(
                shifted, [value for value, _ in values], halves, color=COLOURS[colour], marker="o", label=name
            )
        panel.axhline(results.many[names][0], color="black", linewidth=1, linestyle=":", label=MANY)
        panel.set(xscale="log", ylim=(-0.03, 1.03), xlabel="sentences shown", title=f"{names} names")
        panel.set_xticks(results.shots, [str(count) for count in results.shots])
        panel.minorticks_off()
    axes[0].set_ylabel("F1 of mentions")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED})
