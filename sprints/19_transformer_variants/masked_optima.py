"""What can a masked language model reach at best, by how much is masked? Exactly, beside the optimum from the left.

    uv run sprints/19_transformer_variants/masked_optima.py

Nothing is trained: a grammar whose every text can be written down gives the entropy of every set of words. Theory:
notes/06_any_order.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.text.masking import choose_spans
from variants.masking_rate import mean_conditional_entropies, optimum_by_count, optimum_by_rate
from variants.small_grammar import small_recipes

RATES = (0.15, 0.4, 0.7)


@dataclass(frozen=True)
class Config(ScriptConfig):
    points: PositiveInt = 100  # rates between 0 and 1 of the curve
    texts: PositiveInt = 2000  # texts with spans masked, whose optimum is a mean over draws


@dataclass(frozen=True)
class Results:
    by_count: list[float]
    from_the_left: float
    one_hole: float
    nothing_seen: float
    tokens: dict[str, float]
    spans: dict[str, float]
    same_number: dict[str, float]
    equal_at: float
    mean_of_all_rates: float
    curve: list[float]


def main(config: Config) -> Results:
    generator, table = seed_everything(config.seed), small_recipes()
    places = table.rows.shape[1]
    entropy = table.entropy(list(range(places)))
    by_count = [abs(nats) for nats in optimum_by_count(mean_conditional_entropies(table, table.varying), places)]
    curve = [optimum_by_rate(by_count, index / config.points) for index in range(config.points + 1)]
    tokens = {f"{rate:g}": optimum_by_rate(by_count, rate) for rate in RATES}
    rows, spans, same_number = table.draw(config.texts, generator), {}, {}
    for rate in RATES:
        chosen = choose_spans(torch.ones_like(rows, dtype=torch.bool), rate, generator)
        spans[f"{rate:g}"] = table.optimal_nats(rows, chosen)[chosen].mean().item()
        same_number[f"{rate:g}"] = by_count[places - int(chosen[0].sum())]  # spans fill up a fixed number of places
    low, high = 0.0, 1.0
    for _ in range(50):  # the curve rises: halve until the rate is found
        middle = (low + high) / 2
        low, high = (middle, high) if optimum_by_rate(by_count, middle) < entropy / places else (low, middle)
    mean = sum(by_count) / places
    print(
        f"{len(table.chances)} texts of {places} words, entropy {entropy:.3f}: {entropy / places:.4f} a word from left"
    )
    print(f"one hole {by_count[-1]:.4f}, nothing seen {by_count[0]:.4f}; mean of all numbers of words seen {mean:.4f}")
    for rate in RATES:
        print(f"{rate:.0%} masked: words {tokens[f'{rate:g}']:.4f}, spans {spans[f'{rate:g}']:.4f}", end="")
        print(f", as many words one by one {same_number[f'{rate:g}']:.4f}")
    print(f"as dear as from the left at {low:.1%}")
    return Results(by_count, entropy / places, by_count[-1], by_count[0], tokens, spans, same_number, low, mean, curve)


def plot(results: Results) -> Figure:
    """Draw the optimum by the share that is masked, and the optimum from the left, which is its mean height."""
    figure, axes = new_figure(7.6, 4.2)
    rates = [100 * index / (len(results.curve) - 1) for index in range(len(results.curve))]
    axes.plot(rates, results.curve, color="C4", linewidth=2)
    axes.text(93, results.curve[-1] + 0.005, "masked words: optimum", ha="right", color="C4")
    axes.axhline(results.from_the_left, color="C0", linestyle="--")
    axes.text(1, results.from_the_left + 0.008, "from the left: entropy / words", color="C0")
    axes.fill_between(rates, results.curve, results.from_the_left, color="C4", alpha=0.15)
    shares = [100 * float(rate) for rate in results.spans]
    axes.plot(shares, list(results.spans.values()), "s", color="C1")
    axes.text(shares[0] + 1.5, next(iter(results.spans.values())) - 0.018, "the same share in spans", color="C1")
    for rate, nats in results.tokens.items():
        axes.plot(100 * float(rate), nats, "o", color="C4")
        axes.text(100 * float(rate) + 1.5, nats - 0.018, f"{float(rate):.0%}: {nats:.3f}", color="C4")
    axes.set(
        xlabel="words that are masked, %",
        ylabel="nats per masked word",
        xlim=(0, 100),
        ylim=(0, 1.1 * results.nothing_seen),
    )
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
