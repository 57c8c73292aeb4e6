"""Prepare a model for training with rounded weights.

    report = prepare(model, AwareConfig(bits=4))     # in place: its layers round their weights from now on
    ...                                              # train it as before
    converted = convert(model)                       # `convert.py`: a copy that computes the same with integers

GPT-2 of transformers has Conv1D in its blocks, Llama and our GPT have Linear: all of them are prepared, and what is not
is named.
"""

import math
from typing import Any, NamedTuple

from torch import nn

from aware.config import AwareConfig
from aware.fake_quantize import WeightQuantizer
from aware.layers import AwareEmbedding, AwareLinear
from shared.nn.kernels import PackedProjection
from shared.training.optimizers import decay_groups

Prepared = dict[str, AwareLinear | AwareEmbedding]
LINEARS = (nn.Linear, PackedProjection)  # exactly these: another subclass may use its weight in another way
HEADS = ("lm_head", "head")
TOKENS = ("wte", "embed_tokens", "token_embedding")


class Report(NamedTuple):
    """What was prepared, by name, and what was left, with the reason."""

    layers: Prepared
    left: dict[str, str]

    @property
    def weights(self) -> int:
        """Return how many weights are rounded; those of a table that is the output layer too count once."""
        return sum({id(layer.weight): layer.weight.numel() for layer in self.layers.values()}.values())


def prepare(model: nn.Module, config: AwareConfig) -> Report:
    """Exchange a model's linear layers and token embedding for ones that round their weights; say what was left.

    Its parameters stay the very same objects, so an optimizer that was made before still trains them; learned steps are
    new parameters, which only an optimizer that is made afterwards knows.

    Args:
        model: is changed in place.
        config: how to round. Layers that are prepared already stay as they are.

    Raises:
        ValueError: nothing to prepare, rows that do not divide into groups, or one table that is to be rounded in one
            of its two places only. The model is as it was.
    """
    found, left = find_layers(model, config)
    if not found and (already := len(prepared_layers(model))):
        raise ValueError(f"there is nothing to prepare: {already} layers are prepared already")
    if not found:
        raise ValueError(
            f"there is nothing to prepare: {type(model).__name__} has no Linear, Conv1D or token embedding that "
            f"config lets be rounded; left are {', '.join(left) or 'no matrices at all'}"
        )
    check_groups(found, config)
    quantizers: dict[int, WeightQuantizer] = {}
    for name, module in found.items():
        weight = module.get_parameter("weight")
        if id(weight) not in quantizers:
            rows = weight.mT.contiguous() if is_conv1d(module) else weight
            quantizers[id(weight)] = WeightQuantizer(
                rows.detach(), config.bits, config.per, group=config.group, learned=config.learned
            )
        quantizer = quantizers[id(weight)]
        aware: nn.Module = (
            AwareEmbedding(module, quantizer)
            if isinstance(module, nn.Embedding)
            else AwareLinear(module, quantizer, config.activation_bits)
        )
        model.set_submodule(name, aware.train(model.training))
    return Report(prepared_layers(model), left)


def find_layers(model: nn.Module, config: AwareConfig) -> tuple[dict[str, nn.Module], dict[str, str]]:
    """Return the layers of a model that can be rounded, by name, and why each other matrix is left as it is.

    Raises:
        ValueError: a table that is the output layer too is to be rounded in one of these places only.
    """
    found: dict[str, nn.Module] = {}
    left: dict[str, str] = {}
    for name, module in model.named_modules():
        last = name.rpartition(".")[2]
        if isinstance(module, AwareLinear | AwareEmbedding | WeightQuantizer):
            continue
        if type(module) in LINEARS or is_conv1d(module):
            wanted, reason = config.head or last not in HEADS, "head=False"
        elif isinstance(module, nn.Embedding):
            is_table = last in TOKENS
            wanted, reason = is_table and config.embeddings, "embeddings=False" if is_table else "positions"
        elif any(weight.dim() >= 2 for weight in module.parameters(recurse=False)):
            wanted, reason = False, f"{type(module).__name__} may use its weight in another way"
        else:
            continue
        if wanted:
            found[name] = module
        else:
            left[name] = reason
    shared = {id(module.get_parameter("weight")): name for name, module in found.items()}
    for name in left:
        weight = getattr(model.get_submodule(name), "weight", None)
        if id(weight) in shared:
            raise ValueError(
                f"{name} and {shared[id(weight)]} are one table, which cannot be rounded in one place and left in the "
                "other: set embeddings and head alike"
            )
    return found, left


def check_groups(found: dict[str, nn.Module], config: AwareConfig) -> None:
    """Check that the rows of all layers divide into groups.

    Raises:
        ValueError: one does not; says which, and which sizes all of them divide into.
    """
    if config.per != "group":
        return
    inputs = {
        name: module.get_parameter("weight").shape[0 if is_conv1d(module) else 1] for name, module in found.items()
    }
    if wrong := [name for name, count in inputs.items() if count % config.group]:
        common = math.gcd(*inputs.values())
        fitting = [size for size in (256, 128, 64, 32, 16, 8) if common % size == 0]
        raise ValueError(
            f"a row must divide into groups of {config.group}; {wrong[0]} has rows of {inputs[wrong[0]]}: "
            f"all rows divide into groups of {', '.join(map(str, fitting)) or common}, and per='channel' always fits"
        )


def is_conv1d(module: nn.Module) -> bool:
    """Return whether a module is the Conv1D of transformers; by its name, as importing transformers takes seconds."""
    return type(module).__name__ == "Conv1D"


def prepared_layers(model: nn.Module) -> Prepared:
    """Return the prepared layers of a model by name."""
    return {name: module for name, module in model.named_modules() if isinstance(module, AwareLinear | AwareEmbedding)}


def step_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Return the learned steps of a prepared model; those of a table that is the output layer too once."""
    quantizers = {id(layer.quantizer): layer.quantizer for layer in prepared_layers(model).values()}
    return [parameter for quantizer in quantizers.values() for parameter in quantizer.parameters()]


def parameter_groups(model: nn.Module, weight_decay: float = 0.0, **of_steps: Any) -> list[dict[str, Any]]:
    """Return the parameters of a prepared model in the groups that an optimizer takes.

    Matrices decay; biases, gains and steps do not: a step that decays makes the grid too narrow for its weights.

    Args:
        model: a prepared model.
        weight_decay: of matrices.
        of_steps: what an optimizer is to be told of the learned steps alone, such as `lr=1e-4`.
    """
    steps = step_parameters(model)
    taken = {id(step) for step in steps}
    weights = [weight for weight in model.parameters() if id(weight) not in taken]
    return [*decay_groups(weights, weight_decay), {"params": steps, "weight_decay": 0.0, **of_steps}][: 2 + bool(steps)]
