"""What does "position-wise" mean? The same small network for every token, and no token sees another one.

    uv run sprints/07_transformer_block/position_wise.py

The feed-forward network is changed in every way that could show a difference, and written in three other forms that
give the same. Theory: notes/04_the_feed_forward_network.md
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.attention import MultiHeadAttention
from shared.nn.blocks import FeedForward


@dataclass(frozen=True)
class Config(ScriptConfig):
    batch: PositiveInt = 4  # rows
    tokens: AtLeastTwo = 12  # tokens of a row
    d_model: PositiveInt = 32  # features of a token
    d_hidden: PositiveInt = 128  # features between the two layers
    heads: PositiveInt = 4  # heads of the attention that stands beside it

    def check(self) -> None:
        check_heads(self.d_model, self.heads)


@dataclass(frozen=True)
class Results:
    """Largest differences.

    Args:
        tests: by test, of the feed-forward network and of attention: both would be 0 for a network that is
            position-wise.
        forms: from the feed-forward network, of the same in other forms.
        one_matrix: from the product of both matrices, of the network without and with its activation.
        rank: in how many directions the outputs spread for inputs on a line, without and with the activation.
    """

    tests: dict[str, dict[str, float]]
    forms: dict[str, float]
    one_matrix: dict[str, float]
    rank: dict[str, int]


def position_tests(network: nn.Module, x: Tensor, generator: torch.Generator) -> dict[str, float]:
    """Return how far outputs are from what they would be if every token were on its own."""
    order = torch.randperm(x.shape[1], generator=generator)
    others = torch.randn(x.shape, generator=generator)
    others[:, 0] = x[:, 0]
    alone = torch.cat([network(x[:, token : token + 1]) for token in range(x.shape[1])], dim=1)
    return {
        "tokens in another order": largest(network(x[:, order]), network(x)[:, order]),
        "other tokens beside it": largest(network(others)[:, 0], network(x)[:, 0]),
        "each token alone": largest(alone, network(x)),
    }


def largest(a: Tensor, b: Tensor) -> float:
    return (a - b).abs().max().item()


def as_convolution(network: FeedForward, x: Tensor) -> Tensor:
    """Return the network's output as two convolutions with a window of one token."""
    hidden = functional.conv1d(x.mT, network.expand.weight[..., None], network.expand.bias)
    return functional.conv1d(hidden.relu(), network.contract.weight[..., None], network.contract.bias).mT


def as_memory(network: FeedForward, x: Tensor) -> Tensor:
    """Return it as a memory (Geva et al. 2021): a sum over the neurons of how well x fits a key, times a value."""
    output = network.contract.bias.expand_as(x)
    for key, bias, value in zip(network.expand.weight, network.expand.bias, network.contract.weight.T, strict=True):
        output = output + (x @ key + bias).relu()[..., None] * value
    return output


def as_rows(network: FeedForward, x: Tensor) -> Tensor:
    """Return it for all tokens of all rows as one table."""
    return network(x.flatten(0, 1)[None]).view_as(x)


@torch.no_grad()
def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    network = FeedForward(config.d_model, config.d_hidden)
    attention = MultiHeadAttention(config.d_model, config.heads)
    x = torch.randn(config.batch, config.tokens, config.d_model, generator=generator)
    tests = {
        name: position_tests(part, x, generator) for name, part in (("feed-forward", network), ("attention", attention))
    }
    expected = network(x)
    forms = {
        "convolutions with a window of one token": largest(as_convolution(network, x), expected),
        "a sum over keys and values": largest(as_memory(network, x), expected),
        "all tokens of all rows as one table": largest(as_rows(network, x), expected),
    }
    folded = network.contract.weight @ network.expand.weight
    linear = x @ folded.T + network.contract.weight @ network.expand.bias + network.contract.bias
    without = network.contract(network.expand(x))
    one_matrix = {
        "without the activation": largest(without, linear),
        "with it": largest(expected, linear),
    }
    # Inputs on a line: a linear network can only draw a line.
    line = torch.linspace(-3, 3, 200)[:, None] * torch.randn(config.d_model, generator=generator)
    rank = {
        "without the activation": rank_of(network.contract(network.expand(line))),
        "with it": rank_of(network(line[None])[0]),
    }
    for test in tests["feed-forward"]:
        print(f"{test:<26} feed-forward {tests['feed-forward'][test]:.1e}, attention {tests['attention'][test]:.1e}")
    for form, difference in forms.items():
        print(f"{form:<42}{difference:.1e}")
    print(f"one matrix instead: differs by {one_matrix}; dimensions of what becomes of a line: {rank}")
    return Results(tests, forms, one_matrix, rank)


def rank_of(points: Tensor) -> int:
    """Return in how many directions points spread, but for rounding."""
    spread = torch.linalg.svdvals((points - points.mean(dim=0)).double())
    return int((spread > 1e-4 * spread[0]).sum())


if __name__ == "__main__":
    run(main, Config, tolerance={"*": Tolerance(relative=1e-4, absolute=1e-5), "rank.*": EXACT})
