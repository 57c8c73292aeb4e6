"""Is a GPT that is split over processes the same GPT, what does each process keep, and what do they send?

    uv run sprints/24_distributed_training/split_measured.py
    uv run sprints/24_distributed_training/split_measured.py --processes 2 --steps 5

By hand (`split_blocks`) and with PyTorch's `parallelize_module`, in float64, with AdamW. All processes see the whole
batch. Theory: notes/06_splitting_a_matrix.md
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh
from torch.nn import functional
from torch.optim import AdamW

from parallel_study.held import own
from parallel_study.processes import on_processes
from parallel_study.tensor_parallel import parallelize_blocks, split_blocks, whole_weights
from parallel_study.traffic import Traffic
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run
from shared.nn.gpt import GPT, GPTConfig
from shared.training.parallel import present


@dataclass(frozen=True)
class Config(ScriptConfig):
    processes: tuple[AtLeastTwo, ...] = (2, 4)  # that divide the heads
    layers: PositiveInt = 4  # blocks of the GPT
    d_model: PositiveInt = 64  # features of a token
    rows: PositiveInt = 4  # of a batch
    tokens: PositiveInt = 32  # of a row
    steps: PositiveInt = 20  # of AdamW

    def check(self) -> None:
        if wrong := [count for count in self.processes if 8 % count]:
            raise ValueError(f"the 8 heads are dealt out in equal parts: --processes are 2, 4 or 8; got {wrong}")


@dataclass(frozen=True)
class Way:
    loss_off: float  # largest difference from the losses of one process
    weights_off: float  # of a number, behind the last step
    of_blocks: float  # share of the blocks' numbers that a process keeps
    of_all: float  # share of all parameters
    calls: dict[str, int]  # collectives of a step
    sent: int  # bytes in a step
    norm: float  # of the gradient at the first step, from the numbers that process 0 has
    norm_of_one: float  # the same of one process


@dataclass(frozen=True)
class Results:
    ways: dict[str, dict[str, Way]]  # by processes and way
    predicted: dict[str, int]  # bytes that a process sends in a step
    parameters: int


def train(gpt: GPT, batches: list[Tensor]) -> tuple[list[float], Traffic, float]:
    """Train with AdamW; return the losses, the traffic of the last step, and the norm of the first gradient."""
    optimizer, traffic, norm = AdamW(gpt.parameters(), lr=1e-2), Traffic(), 0.0
    losses: list[float] = []
    for tokens in batches:
        optimizer.zero_grad()
        traffic = Traffic()
        with traffic:
            loss = functional.cross_entropy(gpt(tokens[:, :-1]).mT, tokens[:, 1:])
            loss.backward()
        gradients = [own(weight.grad) for weight in gpt.parameters() if weight.grad is not None]
        norm = norm or torch.nn.utils.get_total_norm(gradients).item()
        optimizer.step()
        losses.append(loss.item())
    return losses, traffic, norm


def compare(config: Config) -> dict[str, Way]:
    """Train one process's whole GPT and both kinds of split ones, as one process of the group."""
    ranks = present()
    size = GPTConfig(64, config.tokens, config.layers, 8, config.d_model, dropout=0.0)
    generator = torch.Generator().manual_seed(1)
    shape = (config.rows, config.tokens + 1)
    batches = [torch.randint(64, shape, generator=generator) for _ in range(config.steps)]

    def fresh() -> GPT:
        return GPT(size, torch.Generator().manual_seed(0)).double()

    one = fresh()
    expected, _, norm_of_one = train(one, batches)
    split = {
        "by hand": split_blocks(fresh(), ranks),
        "by PyTorch": parallelize_blocks(fresh(), init_device_mesh("cpu", (ranks.size,))),
    }
    found = {}
    for name, gpt in split.items():
        losses, traffic, norm = train(gpt, batches)
        whole = whole_weights(gpt, ranks)
        kept = {weight: own(parameter).numel() for weight, parameter in gpt.named_parameters()}
        in_blocks = [weight for weight in kept if weight.startswith("blocks")]
        found[name] = Way(
            max(abs(ours - theirs) for ours, theirs in zip(losses, expected, strict=True)),
            max((whole[weight] - parameter).abs().max().item() for weight, parameter in one.named_parameters()),
            sum(kept[weight] for weight in in_blocks) / sum(whole[weight].numel() for weight in in_blocks),
            sum(kept.values()) / one.parameter_count(),
            dict(traffic.calls), sum(traffic.bytes.values()), norm, norm_of_one,
        )  # fmt: skip
    return found


def main(config: Config) -> Results:
    ways, predicted = {}, {}
    count = GPT(GPTConfig(64, config.tokens, config.layers, 8, config.d_model)).parameter_count()
    for processes in config.processes:
        ways[str(processes)] = on_processes(processes, compare, config)[0]
        # Two sums a block on the way there and two on the way back, each of a batch's features, 8 bytes a number.
        features = 8 * config.rows * config.tokens * config.d_model
        predicted[str(processes)] = 4 * config.layers * 2 * (processes - 1) * features // processes
        for name, way in ways[str(processes)].items():
            print(f"{processes} processes, {name}: {way}; predicted {predicted[str(processes)]:,} bytes")
    return Results(ways, predicted, count)


if __name__ == "__main__":
    run(main, Config, tolerance={"*off": Tolerance(absolute=1e-9)})
