"""Is the model that is converted the one that was trained? Weights, logits, and the file, in seven formats.

    uv run --group quantization sprints/20_quantization_aware_training/converted_equals_prepared.py
    uv run --group quantization --group models sprints/20_quantization_aware_training/converted_equals_prepared.py \
        --preset smollm2

Each format is tuned for some steps, so that weights and steps are learnt ones, converted, and compared with the
prepared model, number for number. torchao's prepare and convert stand beside it, where torchao is installed. Theory:
notes/04_prepare_train_convert.md
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from aware.fidelity import Compared, compare
from aware.prepare import AwareConfig, is_conv1d, prepare
from aware.recipes import Recipes
from aware.trials import tune
from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, seed_everything
from shared.nn.pretrained import Logits, load_causal_model

FORMATS = {
    "8 bits, a step for each row": AwareConfig(8, "channel"),
    "8 bits in groups": AwareConfig(8),
    "4 bits in groups": AwareConfig(4),
    "3 bits in groups": AwareConfig(3),
    "2 bits in groups": AwareConfig(2),
    "ternary, a step for each matrix": AwareConfig("ternary", "tensor", learned=False),
    "8 bits, inputs too": AwareConfig(8, "channel", activation_bits=8),
}
PRESETS = {"smollm2": {"model": "smollm2", "group": 32, "steps": 1, "batch_size": 1, "recipes": 1}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = "cookbook"  # cookbook (shipped), smollm2, a folder, or a name of the hub
    group: PositiveInt = 64  # weights that share a step
    steps: PositiveInt = 3  # optimizer steps between preparing and converting
    batch_size: PositiveInt = 4  # recipes of a step
    learning_rate: PositiveFloat = 3e-4  # of weights; steps have a tenth
    recipes: PositiveInt = 4  # whose logits are compared


@dataclass(frozen=True)
class Library:
    """What torchao prepares of the model as it is, and how far its prepared and converted Linears are from ours."""

    prepared: int
    of: int
    prepared_differ: float
    converted_differ: float


@dataclass(frozen=True)
class Results:
    logits_spread: float
    left: dict[str, str]
    formats: dict[str, Compared]
    torchao: Library | None


@torch.no_grad()
def beside_torchao(model: Any, group: int, logits: Callable[[nn.Module], Tensor]) -> Library | None:
    """Return what torchao makes of a model in 4 bits; None where it is not installed."""
    if find_spec("torchao") is None:
        return None
    from torchao.quantization.granularity import PerGroup
    from torchao.quantization.qat import QATConfig
    from torchao.quantization.qat.api import QATStep
    from torchao.quantization.qat.linear import FakeQuantizedLinear
    from torchao.quantization.quant_api import IntxWeightOnlyConfig, quantize_

    base = IntxWeightOnlyConfig(torch.int4, PerGroup(group))  # ty: ignore[missing-attribute]
    theirs, ours = copy.deepcopy(model), copy.deepcopy(model)
    matrices = sum(isinstance(module, nn.Linear) or is_conv1d(module) for module in model.modules())
    quantize_(theirs, QATConfig(base, step=QATStep.PREPARE))
    found = [name for name, module in theirs.named_modules() if isinstance(module, FakeQuantizedLinear)]
    # Ours without what torchao passed over: the embedding and every Conv1D.
    originals = dict(ours.named_modules())
    for name, layer in prepare(ours, AwareConfig(4, group=group, learned=False)).layers.items():
        layer.quantizer.step_dtype = torch.float32  # as theirs are
        if name not in found:
            ours.set_submodule(name, originals[name])
    prepared = logits(theirs)
    differ = (logits(ours) - prepared).abs().max().item()
    quantize_(theirs, QATConfig(base, step=QATStep.CONVERT))
    return Library(len(found), matrices, differ, (logits(theirs) - prepared).abs().max().item())


def main(config: Config) -> Results:
    keep_freed_memory()
    seed_everything(config.seed)
    model, tokenizer = load_causal_model(config.model)
    texts, formats, left = Recipes(tokenizer), {}, {}  # ty: ignore[invalid-argument-type]
    tokens = texts.held_out("test", config.recipes).batches[0].tokens

    def logits(one: nn.Module) -> Tensor:
        return Logits(one.eval())(tokens)

    for name, aware in tqdm(FORMATS.items(), unit="format"):
        tuned = copy.deepcopy(model)
        left = prepare(tuned, replace(aware, group=config.group)).left
        tune(Logits(tuned), texts.train_batches(config.batch_size, 0), config.steps, config.learning_rate)
        formats[name] = found = compare(tuned, tokenizer, logits)
        print(f"{name:<34}{found.weights_that_differ} of {found.weights:,} weights differ, logits by", end=" ")
        print(
            f"{found.logits_differ:.1g}, with {' '.join(found.kernels) or 'no kernel'} {found.kernel_logits_differ:.1g}"
        )
    library = beside_torchao(model, config.group, logits)
    if library is not None:
        print(f"torchao prepares {library.prepared} of {library.of} matrices", end="; ")
        print(
            f"its logits differ from ours by {library.prepared_differ:.1g}, converted by {library.converted_differ:.1g}"
        )
    with torch.no_grad():
        return Results(logits(model).std().item(), left, formats, library)


LAST_DIGITS = Tolerance(absolute=1e-3)
TOLERANCE = {
    "*": EXACT, "logits_spread": Tolerance(relative=1e-3), "*.megabytes": Tolerance(relative=0.01),
    "formats.*.kernel_logits_differ": LAST_DIGITS, "torchao.*_differ": LAST_DIGITS,
}  # fmt: skip

if __name__ == "__main__":
    run(main, Config, presets=PRESETS, tolerance=TOLERANCE)
