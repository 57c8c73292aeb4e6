"""What happens to one token on its way through a trained GPT? Its vector at every station, in real numbers.

    uv run sprints/08_gpt2_assembly/one_tokens_journey.py
    uv run sprints/08_gpt2_assembly/one_tokens_journey.py --recipe 3 --until "Serves"

The model is the trained one that ships with the course; the token is the last one of a piece of a recipe.
Theory: notes/04_one_tokens_journey.md
"""

from dataclasses import dataclass
from typing import Any, cast

import torch
from matplotlib.figure import Figure
from torch import Tensor

from shared.lab import drawings
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import NonNegativeInt
from shared.lab.run import run
from shared.nn.gpt import GPT
from shared.nn.pretrained import load_causal_model
from shared.text.cookbook import Cookbook

FEATURES = 4  # so many of the vector are shown


@dataclass(frozen=True)
class Config(ScriptConfig):
    recipe: NonNegativeInt = 0  # number of the recipe, of those that no model was trained on
    until: str = "then whisk in the"  # the text ends with these words


@dataclass(frozen=True)
class Station:
    """A place on the way: the first features of the token's vector there, and the vector's length."""

    name: str
    features: list[float]
    length: float


@dataclass(frozen=True)
class Look:
    """Where a head looks most: the token, how many places back, and the weight."""

    layer: int
    head: int
    token: str
    back: int
    weight: float


@dataclass(frozen=True)
class Results:
    tokens: int
    token: str
    token_id: int
    before: str
    stations: list[Station]
    looks: list[Look]
    predicted: dict[str, float]
    largest_logit: float
    difference: float


@torch.no_grad()
def main(config: Config) -> Results:
    theirs, tokenizer = load_causal_model()
    model = GPT.from_transformers(cast(Any, theirs))
    text, cut, _ = Cookbook().recipe("test", config.recipe).text.partition(config.until)
    if not cut:
        raise ValueError(f"recipe {config.recipe} does not contain {config.until!r}: give words of it by --until")
    ids = [tokenizer.eos_token_id, *tokenizer(text + cut, split_special_tokens=True)["input_ids"]]
    tokens, last = torch.tensor([ids]), len(ids) - 1
    words = [str(tokenizer.decode([index])) for index in ids]
    stations: list[Station] = []

    def stop(name: str, x: Tensor) -> None:
        vector = x[0, -1]  # (d_model,)
        stations.append(Station(name, vector[:FEATURES].tolist(), vector.norm().item()))

    token, position = model.token_embedding(tokens), model.positions(torch.arange(len(ids))[None])
    x = token + position  # (1, tokens, d_model)
    for name, vectors in (("token", token), ("position", position), ("sum", x)):
        stop(name, vectors)
    looks: list[Look] = []
    blocks: Any = model.blocks
    for layer, block in enumerate(blocks, start=1):
        found, weights = block.attention.forward_with_weights(block.attention_norm(x), causal=True)
        for head, row in enumerate(weights[0, :, -1], start=1):  # (tokens,), where the last token looks
            place = int(row.argmax())
            looks.append(Look(layer, head, words[place], last - place, row[place].item()))
        x = x + found
        x = x + block.feed_forward(block.feed_forward_norm(x))
        stop(f"block {layer}", x)
    x = model.norm(x)
    stop("norm", x)
    logits = model.head(x)  # (1, tokens, vocab_size)
    best = logits[0, -1].softmax(dim=-1).topk(3)
    predicted = {
        str(tokenizer.decode([index])): probability
        for probability, index in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    }
    for station in stations:
        print(
            f"{station.name:<10}", *(f"{number:9.2f}" for number in station.features), f"length {station.length:9.2f}"
        )
    for look in sorted(looks, key=lambda look: -look.weight)[:6]:
        print(f"layer {look.layer}, head {look.head}: {look.weight:.2f} on {look.token!r}, {look.back} back")
    print("next:", ", ".join(f"{token!r} {probability:.3f}" for token, probability in predicted.items()))
    largest = logits.abs().max().item()
    difference = (logits - model(tokens)).abs().max().item()
    before = "".join(words[-12:-1])
    return Results(len(ids), words[-1], ids[-1], before, stations, looks, predicted, largest, difference)


def plot(results: Results) -> Figure:
    """Draw the first features of the vector at each station, from left to right, and what is predicted."""
    figure, axes = drawings.canvas(9.6, 3.3)
    size = 0.56
    step = 7.9 / len(results.stations)
    for place, station in enumerate(results.stations):
        x = 0.15 + step * place
        colour = drawings.TOKEN if place < 2 else drawings.MIXED
        numbers = [[f"{number:.2f}" if abs(number) < 10 else f"{number:.0f}"] for number in station.features]
        drawings.cells(axes, numbers, x, 2.75, colour=colour, size=size, title=station.name)
        drawings.text(axes, "⋮", x + size / 2, 0.38)
        drawings.text(
            axes, f"{station.length:.2f}" if station.length < 100 else f"{station.length:,.0f}", x + size / 2, 0.12
        )
        if place:
            sign = {1: "+", 2: "="}.get(place)
            middle = (x - (step - size) / 2, 1.63)
            if sign:
                drawings.text(axes, sign, *middle, size=13)
            else:
                drawings.arrow(axes, (x - step + size + 0.02, 1.63), (x - 0.02, 1.63))
    x = 0.15 + step * len(results.stations)
    drawings.arrow(axes, (x - step + size + 0.02, 1.63), (x + 0.1, 1.63))
    drawings.text(axes, "next token", x + 0.75, 2.93, bold=True)
    for place, (token, probability) in enumerate(results.predicted.items()):
        drawings.text(axes, f"{token.strip() or repr(token)}  {probability:.3f}", x + 0.75, 2.5 - 0.42 * place)
    drawings.text(axes, "length of the vector", 9.5, 0.12, align="right")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"difference": Tolerance(absolute=1e-2)})
