"""What happens if gates are read in another order, or a forget bias of 1 is put into both biases?

    uv run sprints/18_sequence_models/wrong_gates.py

LSTMs and GRUs are trained to remember a symbol, then read with rows of their weights in the order of other libraries.
Nothing crashes, for all shapes are the same. Theory: notes/03_gates.md
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import trange

from sequences.delayed_recall import Recaller, accuracy_and_loss, train
from shared.checks.intervals import MeanInterval, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.recurrent import Kind

# The order of the blocks of rows in the files of each library; i f g o is PyTorch's and Keras's. A capital letter: the
# gate means the opposite, as the update gate does in many papers.
ORDERS: dict[Kind, dict[str, str]] = {
    "lstm": {"i f g o: right": "ifgo", "i o f g: ONNX": "iofg", "i g f o: TensorFlow 1": "igfo", "f i g o": "figo"},
    "gru": {"r z n: right": "rzn", "z r n: Keras, ONNX": "zrn", "r z n, z for 1 - z": "rZn"},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    symbols: AtLeastTwo = 4  # distinct symbols
    delay: PositiveInt = 8  # tokens of noise behind the symbol
    hidden: PositiveInt = 32  # numbers of the hidden state
    steps: PositiveInt = 300  # optimizer steps
    learning_rate: PositiveFloat = 1e-2  # of Adam
    seeds: PositiveInt = 5  # runs of each kind
    steps_back: PositiveInt = 20  # tokens after which a cell is looked at again


@dataclass(frozen=True)
class ForgetBias:
    """A forget bias, the gate that it makes, and what is left of a cell after `steps_back` tokens."""

    bias: float
    gate: float
    left: float


@dataclass(frozen=True)
class Results:
    accuracies: dict[str, dict[str, list[float]]]
    losses: dict[str, dict[str, list[float]]]
    means: dict[str, dict[str, MeanInterval]]
    mean_losses: dict[str, dict[str, MeanInterval]]
    chance: float
    forget_bias: dict[str, ForgetBias]


def read_as(weight: Tensor, right: str, order: str) -> Tensor:
    """Return the rows that stand where our layer looks, if it takes rows in the order `right` for rows in `order`.

    A capital letter is a gate that means the opposite: sigmoid(-x) is 1 - sigmoid(x).
    """
    blocks = dict(zip(right, weight.chunk(len(right)), strict=True))
    blocks |= {letter.upper(): -block for letter, block in blocks.items()}
    return torch.cat([blocks[letter] for letter in order])


def read_wrongly(model: Recaller, config: Config, right: str, order: str, seed: int) -> tuple[float, float]:
    """Return accuracy and loss of a trained model whose gates are taken to stand in another order."""
    copy = Recaller(model.layer.kind, config.symbols, config.hidden)
    weights = model.state_dict()
    copy.load_state_dict(
        {
            name: read_as(weight, right, order) if name.startswith("layer") else weight
            for name, weight in weights.items()
        }
    )
    return accuracy_and_loss(copy, config.symbols, config.delay, torch.Generator().manual_seed(seed))


def forget_biases(config: Config) -> dict[str, ForgetBias]:
    """Return what is left of a cell whose forget gate is decided by its bias alone."""
    rows = {}
    for name, both in {"PyTorch's mean": (0.0, 0.0), "1 in one of both": (1.0, 0.0), "1 in both": (1.0, 1.0)}.items():
        gate = 1 / (1 + math.exp(-sum(both)))
        rows[name] = ForgetBias(sum(both), gate, gate**config.steps_back)
    return rows


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # matrices this small are slower on two
    found: dict[str, dict[str, list[float]]] = {kind: {name: [] for name in orders} for kind, orders in ORDERS.items()}
    losses: dict[str, dict[str, list[float]]] = {kind: {name: [] for name in rows} for kind, rows in found.items()}
    for index in trange(config.seeds, desc="seeds"):
        for kind, orders in ORDERS.items():
            generator = seed_everything(config.seed + index)
            model = Recaller(kind, config.symbols, config.hidden, 1.0 if kind == "lstm" else None)
            train(model, config.symbols, config.delay, config.steps, generator, learning_rate=config.learning_rate)
            right = next(iter(orders.values()))
            for name, order in orders.items():
                hits, loss = read_wrongly(model, config, right, order, config.seed + index)
                found[kind][name].append(hits)
                losses[kind][name].append(loss)
    means, mean_losses = (
        {kind: {name: mean_interval(values) for name, values in rows.items()} for kind, rows in table.items()}
        for table in (found, losses)
    )
    for kind, rows in means.items():
        for name, (mean, _) in rows.items():
            print(f"{kind} read as {name:<24}accuracy {mean:.3f}, loss {mean_losses[kind][name][0]:.3f}")
    biases = forget_biases(config)
    for name, row in biases.items():
        print(f"forget bias, {name}: {row.bias:g}, gate {row.gate:.3f}, left after {config.steps_back}: {row.left:.4f}")
    return Results(found, losses, means, mean_losses, 1 / config.symbols, biases)


if __name__ == "__main__":
    run(main, Config, tolerance={"*": TRAINED})
