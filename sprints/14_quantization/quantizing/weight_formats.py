"""The formats of weights that the sprint compares, by name: each makes a copy of a GPT-2 or a Llama in it."""

import copy
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from quantizing.converted import check_converted, linear_layers, with_linears
from quantizing.eager_mode import HEAD, calibrate, convert_static, prepare_static, quantize_dynamically
from quantizing.packed_linear import Int4Linear, Int8Linear, pack_weights

WeightFormat = Literal[
    "float32", "linear", "bfloat16", "dynamic", "static", "int8-kernel", "int4-kernel", "torchao-int8", "torchao-int4"
]
FORMATS: tuple[WeightFormat, ...] = get_args(WeightFormat)
GROUP = 64
FLOATING = ("float32", "linear", "bfloat16")


def _static(model: PreTrainedModel, texts: Sequence[Tensor]) -> nn.Module:
    prepared = prepare_static(model)
    calibrate(prepared, texts)
    return convert_static(prepared)


def _torchao_int8(model: PreTrainedModel, _: Sequence[Tensor]) -> nn.Module:
    from torchao.quantization.quant_api import Int8WeightOnlyConfig, quantize_

    model = with_linears(model).to(torch.bfloat16)
    quantize_(model, Int8WeightOnlyConfig(set_inductor_config=False))
    return model


def _torchao_int4(model: PreTrainedModel, _: Sequence[Tensor]) -> nn.Module:
    # The stable Int4WeightOnlyConfig has kernels for GPUs only; the one for processors is a prototype.
    from torchao.prototype.quantization.int4 import PrototypeInt4WeightOnlyConfig
    from torchao.quantization.quant_api import quantize_

    model = with_linears(model).to(torch.bfloat16)
    # The kernel wants outputs in multiples of 16, and GPT-2 has 50,257 tokens: the head stays as it is, in bfloat16.
    quantize_(
        model,
        PrototypeInt4WeightOnlyConfig(group_size=GROUP, set_inductor_config=False),
        lambda module, name: isinstance(module, nn.Linear) and name != HEAD,
    )
    return model


# What makes a copy of a model in each format; texts calibrate the static one.
MAKERS: dict[str, Callable[[PreTrainedModel, Sequence[Tensor]], nn.Module]] = {
    "float32": lambda model, _: copy.deepcopy(model),
    "linear": lambda model, _: with_linears(model),
    "bfloat16": lambda model, _: with_linears(model).to(torch.bfloat16),
    "dynamic": lambda model, _: quantize_dynamically(model),
    "static": _static,
    "int8-kernel": lambda model, _: pack_weights(model, Int8Linear),
    "int4-kernel": lambda model, _: pack_weights(model, Int4Linear),
    "torchao-int8": _torchao_int8,
    "torchao-int4": _torchao_int4,
}
LABELS = {
    "float32": "float32, as transformers has it",
    "linear": "float32, Conv1D turned into Linear",
    "bfloat16": "bfloat16",
    "dynamic": "int8, dynamic",
    "static": "int8, static",
    "int8-kernel": "int8 weights, fused kernel",
    "int4-kernel": "int4 weights, fused kernel",
    "torchao-int8": "int8 weights, torchao",
    "torchao-int4": "int4 weights, torchao",
}


def in_format(name: str, model: PreTrainedModel, texts: Sequence[Tensor]) -> nn.Module:
    """Return a copy of a model in a format; `texts` calibrate the static one.

    Raises:
        ValueError: some of its linear layers were not converted.
    """
    converted = MAKERS[name](model, texts).eval()
    if name not in FLOATING:
        check_converted(converted, linear_layers(model) - (name == "torchao-int4"))
    return converted


def that_differ(names: Sequence[WeightFormat], model: PreTrainedModel) -> tuple[WeightFormat, ...]:
    """Return the formats that are not twice the same for a model: where nothing is Conv1D, nothing becomes Linear."""
    has_conv1d = any(isinstance(module, Conv1D) for module in model.modules())
    return tuple(name for name in names if name != "linear" or has_conv1d or "float32" not in names)


def check_formats(names: Sequence[str], script: str) -> None:
    """Check that a script can make all the formats that it was asked for, before it starts.

    Raises:
        ValueError: an unknown format, or torchao is missing; says how to run with it.
    """
    if unknown := sorted(set(names) - set(FORMATS)):
        raise ValueError(f"--ways must be among {', '.join(FORMATS)}; got {', '.join(unknown)}")
    asked = [name for name in names if name.startswith("torchao")]
    if asked and find_spec("torchao") is None:
        others = " ".join(name for name in names if name not in asked)
        raise ValueError(
            f"{', '.join(asked)} need torchao, which is not installed: run\n"
            f"    uv run --group quantization sprints/14_quantization/{script}.py\n"
            f"or compare the other formats only: --ways {others or 'float32 dynamic static'}"
        )
