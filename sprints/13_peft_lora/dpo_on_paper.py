"""What does DPO's loss see of three answers? Two models, one loss.

    uv run sprints/13_peft_lora/dpo_on_paper.py
    uv run sprints/13_peft_lora/dpo_on_paper.py --beta 0.1

A question has a right answer, a wrong one, and everything else that could be said. Theory: notes/10_dpo.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from adapter_study.preferences import dpo_losses
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFloat
from shared.lab.run import run

ANSWERS = ("right", "wrong", "anything else")
MODELS = {"reference": (0.2, 0.3, 0.5), "model 1": (0.3, 0.1, 0.6), "model 2": (0.15, 0.05, 0.8)}


@dataclass(frozen=True)
class Config(ScriptConfig):
    beta: PositiveFloat = 0.5  # how much a nat of difference from the reference is worth


@dataclass(frozen=True)
class OnPaper:
    """Probabilities of the three answers, and what DPO computes of the first two."""

    probabilities: list[float]
    chosen_reward: float
    rejected_reward: float
    margin: float
    loss: float
    pull: float  # beta sigmoid(-margin): the size of the gradient on either log-probability


@dataclass(frozen=True)
class Results:
    beta: float
    models: dict[str, OnPaper]


def main(config: Config) -> Results:
    reference = torch.tensor(MODELS["reference"], dtype=torch.float64).log()
    models = {}
    for name, probabilities in MODELS.items():
        now = torch.tensor(probabilities, dtype=torch.float64).log()
        found = dpo_losses(now[:1], now[1:2], reference[:1], reference[1:2], config.beta)
        chosen, rejected, loss = (part.item() for part in (found.chosen_rewards, found.rejected_rewards, found.losses))
        pull = config.beta / (1 + math.exp(chosen - rejected))
        models[name] = OnPaper(list(probabilities), chosen, rejected, chosen - rejected, loss, pull)
        print(f"{name:9s} rewards {chosen:+.3f} and {rejected:+.3f}, margin {chosen - rejected:.3f}, loss {loss:.3f}")
    return Results(config.beta, models)


def plot(results: Results) -> Figure:
    """Draw the probabilities of the three answers by each model, and the loss that DPO gives it."""
    figure, axes = new_figure(7, 2.8)
    names = [f"{name}\nloss {model.loss:.3f}" for name, model in results.models.items()]
    left = [0.0] * len(names)
    for number, (answer, colour) in enumerate(zip(ANSWERS, (COLOURS[2], COLOURS[1], "#bbbbbb"), strict=True)):
        widths = [model.probabilities[number] for model in results.models.values()]
        axes.barh(names, widths, left=left, color=colour, label=answer)
        for row, (start, width) in enumerate(zip(left, widths, strict=True)):
            axes.text(start + width / 2, row, f"{width:g}", ha="center", va="center")
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.invert_yaxis()
    axes.set(xlabel="probability of the answer", xlim=(0, 1))
    axes.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
