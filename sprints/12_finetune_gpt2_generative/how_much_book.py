"""How much book does it take? The same voice writes longer books, for a pre-trained model and for one from scratch.

    uv run sprints/12_finetune_gpt2_generative/how_much_book.py
    uv run sprints/12_finetune_gpt2_generative/how_much_book.py --preset long

Every run takes the same number of steps, but reads no book more often than finetune_on_book.py does. Scored are recipes
of the voice's validation stream. Theory: notes/04_how_close_can_one_get.md
"""

from dataclasses import dataclass
from functools import partial

from matplotlib.figure import Figure
from tqdm import tqdm

from book_finetuning.best_readers import best_readers
from book_finetuning.pretrained_gpt import load_gpt, load_with_new_words
from book_finetuning.training_on_blocks import Blocks, FineTuningSettings, fine_tune, loss_on
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.gpt import GPT
from shared.nn.pretrained import SHIPPED
from shared.text.batches import TextDataset
from shared.text.books import recipe_part
from shared.text.cookbook import Cookbook

FIRST_RECIPE = 10_000  # where data/book.txt begins in the stream of recipes, see write_book.py
TOLERANCE = {"*.fine-tuned": TRAINED, "*.from scratch": TRAINED}
PRESETS = {"long": {"recipes": (126, 504, 8064), "steps": 2000}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (the shipped model), or a folder of a GPT-2 of its size, with its tokens
    recipes: tuple[PositiveInt, ...] = (126, 504, 2016)  # recipes to train on; the default book has 126
    scored: PositiveInt = 100  # recipes to score
    steps: PositiveInt = 300  # optimizer steps, at most
    passes: PositiveInt = 16  # times through the book, at most
    batch_size: PositiveInt = 8  # recipes of a batch

    def check(self) -> None:
        if (
            self.model != SHIPPED
            and sum(weight.numel() for weight in load_gpt(self.model)[0].parameters()) > 20_000_000
        ):
            raise ValueError(
                f"the rates here are for a model of two million parameters; {self.model} is a real one, and would lose "
                "all that it has learnt: finetune.py has rates by size, for GPT-2 and Llama"
            )


@dataclass(frozen=True)
class BookLength:
    """A length of the book, and for each learner its loss above the optimum."""

    recipes: int
    characters: int
    epochs: float
    above_optimum: dict[str, float]


@dataclass(frozen=True)
class Results:
    rows: list[BookLength]
    optimum: float


def steps_for(config: Config, size: int) -> int:
    """Return the optimizer steps for a book of so many recipes."""
    return min(config.steps, config.passes * -(-size // config.batch_size))


def train(config: Config, name: str, documents: Blocks) -> GPT:
    """Return a model that was tuned on some recipes, or one of the same size that was trained on them alone."""
    generator = seed_everything(config.seed)
    model = load_with_new_words(config.model, generator)
    if name == "from scratch":
        model = GPT(model.config)
    blocks = TextDataset(documents, model.config.context - 1).blocks
    settings = FineTuningSettings(steps_for(config, len(documents)), config.batch_size)
    trained = fine_tune(model.to(pick_device(config.device)), lambda: blocks, settings, generator)
    for _ in tqdm(trained, desc=f"{name}, {len(documents)} recipes", total=settings.steps, unit="step"):
        pass
    return model


def main(config: Config) -> Results:
    keep_freed_memory()
    _, tokenizer = load_gpt(config.model)
    encode = partial(tokenizer.encode, add_special_tokens=False, split_special_tokens=True)
    voice = Cookbook("flirty")
    scored = recipe_part(voice, "validation", config.scored, tokenizer)
    everything = recipe_part(voice, "train", max(config.recipes), tokenizer, start=FIRST_RECIPE)
    rows, optimum = [], 0.0
    for size in config.recipes:
        documents, scenes = everything.documents[:size], everything.scenes[:size]
        losses = {name: loss_on(scored, train(config, name, documents)) for name in ("fine-tuned", "from scratch")}
        best = best_readers(voice, scenes, scored.scenes, encode, len(tokenizer))
        optimum = best.optimum / scored.targets
        losses |= {"spells": best.spells / scored.targets, "counts": best.counts / scored.targets}
        above = {name: loss / optimum - 1 for name, loss in losses.items()}
        rows.append(BookLength(size, sum(map(len, scenes)), steps_for(config, size) * config.batch_size / size, above))
        print(f"{size} recipes:", ", ".join(f"{name} {share:.1%}" for name, share in above.items()))
    return Results(rows, optimum)


def plot(results: Results) -> Figure:
    """Draw how far above the optimum each stays."""
    figure, axes = new_figure()
    labels = {"spells": "best reader, spells new wordings", "counts": "best reader, knows all wordings"}
    sizes = [row.recipes for row in results.rows]
    for name in results.rows[0].above_optimum:
        above, style = [row.above_optimum[name] for row in results.rows], "--" if name in labels else "-"
        axes.plot(sizes, above, style, marker="o", label=labels.get(name, name))
    axes.axhline(0.06, color="grey", linestyle=":", label="6 % above the optimum")
    axes.set(
        xlabel="recipes in the training part of the book", ylabel="loss above the optimum", xscale="log", yscale="log"
    )
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}" if value >= 0.01 else f"{value:.1%}")
    axes.legend(loc="lower left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
