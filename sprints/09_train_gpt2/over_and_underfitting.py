"""When does a model learn by heart? Loss on read and on unread recipes, by the size of the model and of the text.

    uv run sprints/09_train_gpt2/over_and_underfitting.py
    uv run sprints/09_train_gpt2/over_and_underfitting.py --characters 100000

The models are n-grams of letters: n is their size, and fitting one takes no training. Theory:
notes/06_over_and_underfitting.md
"""

from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure
from pydantic import Field

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo
from shared.lab.run import run
from shared.text.cookbook import Cookbook
from shared.text.ngrams import WittenBell
from shared.text.token_files import make_tokenizer

Order = Annotated[int, Field(ge=1, le=50)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    characters: AtLeastTwo = 10_000  # of the text on the left
    orders: tuple[Order, ...] = (1, 2, 3, 4, 5, 6, 8, 10, 12)  # letters of an n-gram
    texts: tuple[AtLeastTwo, ...] = (1_000, 3_000, 10_000, 30_000, 100_000)  # characters of the texts on the right
    order: Order = 8  # letters of an n-gram on the right
    recipes: AtLeastTwo = 300  # recipes to read from; as many of another stream are never read


@dataclass(frozen=True)
class Results:
    orders: list[int]
    read: list[float]
    unread: list[float]
    best_order: int
    texts: list[int]
    read_by_text: list[float]
    unread_by_text: list[float]


def main(config: Config) -> Results:
    cookbook = Cookbook()
    train, validation = (
        "\n\n\n".join(cookbook.recipe(stream, index).text for index in range(config.recipes))
        for stream in ("train", "validation")
    )
    tokenizer = make_tokenizer("char", [train, validation], [])
    train, validation = tokenizer.encode(train), tokenizer.encode(validation[:30_000])

    def losses(order: int, characters: int) -> tuple[float, float]:
        read = train[:characters]
        model = WittenBell(order, tokenizer.vocab_size).fit([read])
        return model.loss([read]), model.loss([validation])

    by_order = [losses(order, config.characters) for order in config.orders]
    by_text = [losses(config.order, characters) for characters in config.texts]
    for order, (read, unread) in zip(config.orders, by_order, strict=True):
        print(f"{order:>2}-gram, {config.characters:,} characters: read {read:.3f}, unread {unread:.3f}")
    for characters, (read, unread) in zip(config.texts, by_text, strict=True):
        print(f"{config.order:>2}-gram, {characters:,} characters: read {read:.3f}, unread {unread:.3f}")
    unread = [loss for _, loss in by_order]
    return Results(
        orders=list(config.orders),
        read=[loss for loss, _ in by_order],
        unread=unread,
        best_order=config.orders[unread.index(min(unread))],
        texts=list(config.texts),
        read_by_text=[loss for loss, _ in by_text],
        unread_by_text=[loss for _, loss in by_text],
    )


def plot(results: Results) -> Figure:
    """Draw both losses by the size of the model, and by the length of the text."""
    figure, (left, right) = new_figure(9.0, 3.8, columns=2)
    for axes, x, read, unread in (
        (left, results.orders, results.read, results.unread),
        (right, results.texts, results.read_by_text, results.unread_by_text),
    ):
        axes.plot(x, unread, marker="o", color="C3")
        axes.plot(x, read, marker="s", color="C0")
        for words, losses, place, colour in (("unread recipes", unread, -3, "C3"), ("read recipes", read, -3, "C0")):
            axes.annotate(words, (x[place], losses[place]), (4, 12), textcoords="offset points", color=colour)
        axes.set(ylim=(0, None), ylabel="nats per character")
    lowest = min(results.unread)
    left.annotate("← underfitting", (results.best_order - 0.3, lowest + 1.4), fontsize=9, ha="right")
    left.annotate("overfitting →", (results.best_order + 0.3, lowest + 1.4), fontsize=9)
    left.axvline(results.best_order, color="grey", linestyle=":", linewidth=1)
    left.set(xlabel="n: letters of an n-gram")
    right.set(xscale="log", xlabel="characters of the text that was read")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
