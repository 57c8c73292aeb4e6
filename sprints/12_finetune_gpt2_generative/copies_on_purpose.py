"""Would the measure of copying notice copying? Recipes into which passages of the book were pasted on purpose.

    uv run sprints/12_finetune_gpt2_generative/copies_on_purpose.py

The recipes are new ones of the grammar. In a known share of them a passage stands that was taken from the training
chapters: a positive control for compare.py. Theory: notes/06_copying.md
"""

from dataclasses import dataclass
from statistics import fmean, median

import torch
from matplotlib.figure import Figure

from book_finetuning.copied_text import SuffixAutomaton, copied_share
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import ExistingFile, Fraction, PositiveInt
from shared.lab.run import run
from shared.nn.pretrained import load_tokenizer
from shared.text.books import SHIPPED_BOOK, open_book, recipe_part


@dataclass(frozen=True)
class Config(ScriptConfig):
    book: ExistingFile = SHIPPED_BOOK  # a book of the cookbook
    texts: PositiveInt = 112  # recipes for each share
    shares: tuple[Fraction, ...] = (0.0, 0.05, 0.1, 0.25, 0.5, 1.0)  # of the recipes, into which a passage is pasted
    pasted: PositiveInt = 200  # characters of a passage
    shortest: PositiveInt = 100  # characters from which a run counts as copied, as in compare.py


@dataclass(frozen=True)
class Control:
    """How much of the characters was pasted, how much was measured, and the longest runs."""

    share_of_texts: float
    pasted: float
    measured: float
    median_longest: float
    longest: int


@dataclass(frozen=True)
class Results:
    controls: list[Control]


def paste(text: str, passage: str, generator: torch.Generator) -> str:
    """Return a text with a passage in the place of as many characters, at random."""
    start = int(torch.randint(max(1, len(text) - len(passage)), (), generator=generator))
    return text[:start] + passage + text[start + len(passage) :]


def passage_from(scenes: tuple[str, ...], length: int, generator: torch.Generator) -> str:
    """Return so many characters of a scene, at random."""
    scene = scenes[int(torch.randint(len(scenes), (), generator=generator))]
    start = int(torch.randint(max(1, len(scene) - length), (), generator=generator))
    return scene[start : start + length]


def main(config: Config) -> Results:
    tokenizer = load_tokenizer()
    book = open_book(config.book, tokenizer)
    if book.cookbook is None:
        raise ValueError(f"new recipes need a book that the grammar wrote; {config.book} is none: take the default")
    scenes = recipe_part(book.cookbook, "validation", config.texts, tokenizer).scenes
    bodies = [scene.partition("\n")[2] for scene in scenes]
    automaton, controls = SuffixAutomaton(book.train.scenes), []
    for share in config.shares:
        generator = torch.Generator().manual_seed(config.seed)
        count, texts, pasted = round(share * len(bodies)), list(bodies), 0
        for index in range(count):
            passage = passage_from(book.train.scenes, config.pasted, generator)
            texts[index], pasted = paste(texts[index], passage, generator), pasted + len(passage)
        longest = [max(automaton.matches(text), default=0) for text in texts]
        measured = fmean(copied_share(automaton, text, config.shortest) for text in texts)
        controls.append(Control(share, pasted / sum(map(len, texts)), measured, median(longest), max(longest)))
        print(f"{share:.0%} of the texts: {controls[-1].pasted:.1%} pasted, {measured:.1%} measured")
    return Results(controls)


def plot(results: Results) -> Figure:
    """Draw what is measured over what was pasted."""
    figure, axes = new_figure(6, 3.8)
    pasted = [control.pasted for control in results.controls]
    axes.plot(pasted, [control.measured for control in results.controls], "o-", color=COLOURS[0])
    axes.plot(pasted, pasted, ":", color="black")
    axes.annotate("what was pasted", (pasted[-2], pasted[-2]), xytext=(14, -12), textcoords="offset points")
    axes.annotate(
        "what is measured", (pasted[-2], results.controls[-2].measured), xytext=(-10, 10),
        textcoords="offset points", ha="right", color=COLOURS[0],
    )  # fmt: skip
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.set(xlabel="share of the characters that was pasted", ylabel="share in runs of 100 or more", xlim=0, ylim=0)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
