"""What does a soft cap do to logits, and what is the least loss that it leaves possible?

    uv run sprints/19_transformer_variants/logits_by_hand.py
    uv run sprints/19_transformer_variants/logits_by_hand.py --cap 5

A cap of c lets no logit beyond c or below -c. So the best that a model can do, the right token at c and all others at
-c, costs ln(1 + (vocab - 1) exp(-2c)) nats. Theory: notes/11_heads_and_logits.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveFloat
from shared.lab.run import run
from shared.nn.decoder_attention import soft_cap

LOGITS = (1.0, 10.0, 30.0, 100.0, 1000.0)
CAPS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 30.0)
VOCABULARIES = (2, 512, 2048, 50_257, 256_000)


@dataclass(frozen=True)
class Config(ScriptConfig):
    cap: PositiveFloat = 30.0  # soft cap of the worked example


@dataclass(frozen=True)
class Results:
    capped: dict[str, float]
    slopes: dict[str, float]
    shifted: list[float]
    least: dict[str, list[float]]
    reached: float


def least_loss(cap: float, vocab_size: int) -> float:
    """Return the least loss of one target in nats: no model with this cap has less."""
    return math.log1p((vocab_size - 1) * math.exp(-2 * cap))


def reached_by_training(cap: float, vocab_size: int) -> float:
    """Return the loss of free logits behind a cap after gradient descent on one target: it must not be below."""
    logits = torch.zeros(vocab_size, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.3)
    for _ in range(300):
        loss = -soft_cap(logits, cap).log_softmax(dim=0)[0]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


def main(config: Config) -> Results:
    cap = config.cap
    capped = {f"{logit:g}": cap * math.tanh(logit / cap) for logit in LOGITS}
    slopes = {f"{logit:g}": 1 - math.tanh(logit / cap) ** 2 for logit in LOGITS}
    for logit, value in capped.items():
        print(f"logit {logit}: capped {value:.3f}, slope {slopes[logit]:.3g}")
    # A number that is added to all logits changes no softmax; behind a cap it does.
    pair = torch.tensor([2.0, 0.0])
    shifted = [soft_cap(pair + shift, cap).softmax(dim=0)[0].item() for shift in (0.0, 20.0, 60.0)]
    print("weight of a token 2 logits ahead, all logits raised by 0, 20, 60:", *(f"{share:.3f}" for share in shifted))
    least = {str(vocab): [least_loss(cap, vocab) for cap in CAPS] for vocab in VOCABULARIES}
    reached = reached_by_training(3.0, 512)
    print(f"least loss with a cap of 3 and 512 tokens: {least_loss(3.0, 512):.4f}, reached {reached:.4f}")
    return Results(capped, slopes, shifted, least, reached)


def plot(results: Results) -> Figure:
    """Draw caps as curves, and the least loss by cap for each vocabulary."""
    figure, (left, right) = new_figure(10.0, 4.0, columns=2)
    logits = torch.linspace(-60, 60, 241)
    left.plot(logits, logits, color="grey", linestyle=":")
    left.text(33, 38, "no cap", color="grey", ha="right")
    for index, cap in enumerate((5.0, 15.0, 30.0)):
        left.plot(logits, soft_cap(logits, cap), color=f"C{index}")
        left.text(60, cap * math.tanh(60 / cap) + 1.5, f"cap {cap:g}", color=f"C{index}", ha="right")
    left.set(xlabel="logit", ylabel="logit behind the cap", ylim=(-40, 40), xlim=(-60, 62))
    for index, (vocab, losses) in enumerate(results.least.items()):
        right.plot(CAPS[:7], losses[:7], color=f"C{index}", marker="o")
        right.text(0.85, losses[0], f"{int(vocab):,} tokens", color=f"C{index}", ha="right", va="center")
    right.set(xlabel="soft cap of the logits", ylabel="least possible loss (nats per token)")
    right.set(xlim=(-1.9, 8.3), xticks=range(1, 9))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
