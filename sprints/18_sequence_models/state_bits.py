"""How much of a text can be copied from so many bits? Every pattern counted, beside the bound that no machine can beat.

    uv run sprints/18_sequence_models/state_bits.py

A network reads a pattern, b signs are kept, and another network writes it from these. Beside it: a machine that keeps
the first tokens and guesses the rest, and machines that keep anything at all. Theory: notes/13_copying.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional
from torch.optim import Adam
from tqdm import tqdm

from sequences.copying import BitChannel, all_patterns, most_copied
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Different, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

MOST_PATTERNS = 1_000_000


@dataclass(frozen=True)
class Config(ScriptConfig):
    bits: Annotated[tuple[PositiveInt, ...], Different] = (2, 4, 6, 8, 10, 12, 16, 24)  # signs that are kept
    vocab: AtLeastTwo = 4  # distinct tokens
    length: PositiveInt = 5  # tokens of a pattern
    hidden: PositiveInt = 64  # numbers of the state of both networks
    steps: PositiveInt = 500  # optimizer steps
    batch_size: PositiveInt = 128  # patterns of a batch
    learning_rate: PositiveFloat = 5e-3  # of Adam
    machines: PositiveInt = 200  # machines that keep a random part of b bits
    seeds: PositiveInt = 5  # networks of each number of bits

    def check(self) -> None:
        if self.vocab**self.length > MOST_PATTERNS:
            raise ValueError(
                f"all patterns are counted, at most {MOST_PATTERNS:,}; got --vocab {self.vocab} to the power of "
                f"--length {self.length}: take fewer tokens"
            )
        if max(self.bits) > 48:
            raise ValueError(f"a state has at most 48 bits here; got --bits {max(self.bits)}: take fewer")


@dataclass(frozen=True)
class Results:
    bound: dict[str, float]
    first_tokens: dict[str, float]
    random_machines: dict[str, float]
    networks: dict[str, list[float]]
    means: dict[str, MeanInterval]
    states: dict[str, list[int]]
    above_the_bound: int


def first_tokens(config: Config, bits: int) -> float:
    """Return the share of patterns that are copied if as many first tokens are kept as fit, and the others are 0."""
    patterns = all_patterns(config.vocab, config.length)
    per_token = (config.vocab - 1).bit_length()
    kept = min(config.length, bits // per_token)
    return (patterns[:, kept:] == 0).all(dim=1).double().mean().item()


def random_machine(config: Config, bits: int, generator: torch.Generator) -> float:
    """Return what a machine copies that puts every pattern into a random state, and writes one pattern of each."""
    patterns = config.vocab**config.length
    states = torch.randint(2**bits, (patterns,), generator=generator)
    return len(states.unique()) / patterns  # of each state that is used one pattern comes out right


def train(config: Config, bits: int, seed: int) -> tuple[float, int]:
    """Return the share of all patterns that a trained network copies, and how many states it uses."""
    generator = seed_everything(seed)
    model = BitChannel(config.vocab, bits, config.hidden)
    optimizer = Adam(model.parameters(), config.learning_rate)
    for step in range(config.steps):
        optimizer.param_groups[0]["lr"] = config.learning_rate * (1 - step / config.steps)
        patterns = torch.randint(config.vocab, (config.batch_size, config.length), generator=generator)
        loss = functional.cross_entropy(model(patterns).flatten(0, 1), patterns.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return measure(model, all_patterns(config.vocab, config.length))


@torch.no_grad()
def measure(model: BitChannel, patterns: Tensor) -> tuple[float, int]:
    """Return the share of patterns of which every token is the most probable one, and the number of states."""
    # If each token is right given the right ones before it, then the network writes the pattern by itself as well.
    copied = (model(patterns).argmax(dim=-1) == patterns).all(dim=1)
    return copied.double().mean().item(), len(model.kept(patterns).unique(dim=0))


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # matrices this small are slower on two
    generator = seed_everything(config.seed)
    bound = {str(bits): most_copied(bits, config.vocab, config.length) for bits in config.bits}
    first = {str(bits): first_tokens(config, bits) for bits in config.bits}
    machines = {
        str(bits): max(random_machine(config, bits, generator) for _ in range(config.machines)) for bits in config.bits
    }
    runs = {
        str(bits): [train(config, bits, config.seed + index) for index in range(config.seeds)]
        for bits in tqdm(config.bits, desc="bits")
    }
    networks = {bits: [share for share, _ in row] for bits, row in runs.items()}
    every = [(bits, share) for bits in bound for share in [first[bits], machines[bits], *networks[bits]]]
    above = sum(share > bound[bits] + 1e-12 for bits, share in every)
    means = {bits: mean_interval(shares) for bits, shares in networks.items()}
    for bits, limit in bound.items():
        print(
            f"{bits} bits: bound {limit:.4f}, first tokens {first[bits]:.4f}, random {machines[bits]:.4f}, "
            f"network {means[bits][0]:.4f}"
        )
    print(f"above the bound: {above} of {len(every)}")
    states = {bits: [count for _, count in row] for bits, row in runs.items()}
    return Results(bound, first, machines, networks, means, states, above)


def plot(results: Results) -> Figure:
    """Draw the shares against the number of bits, the bound above them."""
    figure, axes = new_figure(7.6, 4.4)
    bits = [int(count) for count in results.bound]
    axes.plot(bits, list(results.bound.values()), color="black", label="bound: $2^b / |V|^n$")
    axes.plot(bits, list(results.first_tokens.values()), "s", color="C0", label="keeps the first tokens", markersize=8)
    axes.plot(bits, list(results.random_machines.values()), "^", color="C2", label="best of the random machines")
    means, halves = zip(*results.means.values(), strict=True)
    axes.errorbar(bits, means, error_bars(halves), fmt="o", color="C3", capsize=3, label="trained networks, mean")
    axes.set(xlabel="bits of the state behind the pattern", ylabel="share of all patterns copied without a mistake")
    axes.set(yscale="log", xticks=bits)
    axes.legend(loc="lower right")
    return figure


if __name__ == "__main__":
    tolerance = {"networks.*": TRAINED, "means.*": TRAINED, "states.*": TRAINED}
    run(main, Config, plot=plot, tolerance=tolerance)
