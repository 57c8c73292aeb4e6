"""Does a repetition penalty push said tokens down? How many of their logits are negative, and what each rule does.

    uv run sprints/10_pretrained_generation_demo/signs_of_logits.py
    uv run sprints/10_pretrained_generation_demo/signs_of_logits.py --preset smollm2

At each place of a few recipes: the tokens that the text has had, the signs of their logits, and the probability that
all of them together have before and after the penalty. Theory: notes/03_the_repetition_penalty.md
"""

from dataclasses import dataclass
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from decoding_demo.chosen_model import load
from decoding_demo.repetition import contained, divide, push_down
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.nn.pretrained import SHIPPED, SMOLLM2
from shared.text.cookbook import Cookbook

RULES = {"CTRL: divide": divide, "transformers: push down": push_down}
PRESETS: dict[str, dict[str, Any]] = {"smollm2": {"model": SMOLLM2, "texts": 3}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (shipped), smollm2, a folder, or a name of the hub such as gpt2: GPT-2 or Llama
    texts: PositiveInt = 8  # validation recipes to read
    most_tokens: AtLeastTwo = 128  # of each
    penalty: PositiveFloat = 1.3  # of both rules


@dataclass(frozen=True)
class Results:
    """Shares and means over all places.

    negative: of the logits of tokens that were said. before: their probability together, without a penalty. after: with
    it. raised: share of said tokens whose logit the rule raises. By what the rule is applied to: logits, or their
    log-softmax, as in the library's beam search.
    """

    places: int
    negative: dict[str, float]
    before: float
    after: dict[str, dict[str, float]]
    raised: dict[str, dict[str, float]]


@torch.no_grad()
def scores_and_texts(config: Config) -> tuple[list[Tensor], list[Tensor]]:
    """Return, for each place of the recipes, the logits (1, vocab) and the text up to it (1, tokens)."""
    chosen = load(config.model)
    logits, texts = [], []
    for index in tqdm(range(config.texts), unit="text"):
        tokens = chosen.encode(Cookbook().recipe("validation", index).text, chat=False)[: config.most_tokens]
        row = torch.tensor([tokens])
        values = chosen.model(row)[0].double()  # (tokens, vocab)
        logits += list(values[:, None])
        texts += [row[:, : place + 1] for place in range(len(tokens))]
    return logits, texts


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def main(config: Config) -> Results:
    logits, texts = scores_and_texts(config)
    negative, after, raised = {}, {}, {}
    for kind in ("logits", "log-softmax"):
        rows = logits if kind == "logits" else [row.log_softmax(dim=-1) for row in logits]
        said = [contained(row, text) for row, text in zip(rows, texts, strict=True)]
        negative[kind] = mean([(row[where] < 0).double().mean().item() for row, where in zip(rows, said, strict=True)])
        after[kind], raised[kind] = {}, {}
        for name, rule in RULES.items():
            ruled = [rule(row, text, config.penalty) for row, text in zip(rows, texts, strict=True)]
            after[kind][name] = mean([new.softmax(-1)[w].sum().item() for new, w in zip(ruled, said, strict=True)])
            raised[kind][name] = mean(
                [(new > row)[w].double().mean().item() for new, row, w in zip(ruled, rows, said, strict=True)]
            )
            print(f"{kind:<12}{name:<26} said tokens have {after[kind][name]:.3f}, {raised[kind][name]:.1%} raised")
    before = mean([row.softmax(-1)[contained(row, text)].sum().item() for row, text in zip(logits, texts, strict=True)])
    print(f"without a penalty {before:.3f}; negative: {negative}")
    return Results(len(logits), negative, before, after, raised)


def plot(results: Results) -> Figure:
    """Draw the probability of what was said, for each rule and each kind of scores."""
    figure, axes = new_figure(width=7.0, height=2.8)
    names = [(kind, rule) for kind in results.after for rule in RULES]
    values = [results.after[kind][rule] for kind, rule in names]
    colours = ["C0" if rule.startswith("CTRL") else "C1" for _, rule in names]
    axes.barh(range(len(names)), values, color=colours, height=0.6)
    axes.set_yticks(range(len(names)), [f"{rule}\n(on {kind})" for kind, rule in names])
    for height, value in enumerate(values):
        is_long = value > 0.2 * max(values)
        place, colour = (0.01, "white") if is_long else (value + 0.005, "black")
        axes.text(place, height, f"{value:.3f}", va="center", color=colour, fontweight="bold")
    axes.axvline(results.before, color="black", linestyle="--")
    axes.text(0.98 * results.before, -0.75, f"no penalty: {results.before:.3f}", ha="right")
    axes.set_ylim(len(names) - 0.5, -1.1)
    axes.set(xlabel="probability of the tokens that the text has had, all together", xlim=(0, 1.25 * max(values)))
    return figure


# Sums over thousands of logits near zero; the sign of one may turn with its last digit.
TOLERANCE = {"*": Tolerance(relative=0.01, absolute=0.005)}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
