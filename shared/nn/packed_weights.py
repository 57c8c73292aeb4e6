"""Weights as small integers in groups: in memory, packed into bytes, and in a folder that is loaded like any model.

    weight[i, j] = integers[i, j] * scales[i, j // group]

A folder holds what transformers has for a model, but for the weights: these are in `packed.safetensors`, the integers
of 8 bits each in a byte, of 4 bits two in a byte; and `packed.json` names the scheme.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from jaxtyping import Float, Float16, Int8, UInt8
from safetensors.torch import save_file
from torch import Tensor

from shared.lab.files import replacing_folder, write_text
from shared.nn.model_folders import read_json, read_safetensors, seal

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SCHEME = "symmetric integers in groups, version 1"
WEIGHTS, DESCRIPTION = "packed.safetensors", "packed.json"
INTEGERS, SCALES = ".integers", ".scales"
# The matrices that transformers keeps as (inputs, outputs): those of its Conv1D.
CONV1D = {"gpt2": ("c_attn.weight", "c_proj.weight", "c_fc.weight")}


class GroupedWeight(NamedTuple):
    """A weight as integers, and a scale for each group of neighbours in a row."""

    integers: Int8[Tensor, "outputs inputs"]
    scales: Float16[Tensor, "outputs groups"]

    def to_float(self) -> Float[Tensor, "outputs inputs"]:
        """Return the numbers that the integers stand for, in float32."""
        grouped = self.integers.float().unflatten(1, (self.scales.shape[1], -1))  # (outputs, groups, group)
        return (grouped * self.scales.float().unsqueeze(-1)).flatten(1)


def pack(integers: Int8[Tensor, "outputs inputs"], bits: int) -> UInt8[Tensor, "outputs bytes"]:
    """Return integers as bytes: of 4 bits two in each, the first in the lower half.

    Raises:
        ValueError: another number of bits, an odd number of inputs, or an integer that does not fit.
    """
    half = 2 ** (bits - 1)
    if bits not in (4, 8) or integers.shape[1] % (8 // bits):
        raise ValueError(f"integers are packed with 8 bits, or with 4 in pairs; got {bits} and {integers.shape[1]}")
    if integers.min() < -half or integers.max() > half - 1:
        raise ValueError(f"{bits} bits hold {-half} to {half - 1}; got {integers.min()} to {integers.max()}")
    shifted = (integers.short() + half).to(torch.uint8)
    return shifted if bits == 8 else shifted[:, ::2] | shifted[:, 1::2] << 4


def unpack(packed: UInt8[Tensor, "outputs bytes"], bits: int) -> Int8[Tensor, "outputs inputs"]:
    """Return the integers that `pack` packed."""
    if bits == 4:
        packed = torch.stack([packed & 15, packed >> 4], dim=-1).flatten(1)
    return (packed.short() - 2 ** (bits - 1)).to(torch.int8)


def save_packed(
    folder: Path,
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    weights: Mapping[str, GroupedWeight],
    bits: int,
) -> None:
    """Write a model into a folder, whole or not at all, with some of its weights packed and the others as they are.

    Args:
        folder: where to.
        model: a GPT-2 or a Llama; whether its matrices are Conv1D or Linear does not matter if all are packed.
        tokenizer: its tokenizer.
        weights: what takes the place of weights, by the name of the parameter: "lm_head.weight".
        bits: 8 or 4.
    """
    tensors = {}
    for name, weight in weights.items():
        tensors |= {name + INTEGERS: pack(weight.integers, bits), name + SCALES: weight.scales.contiguous()}
    # One tensor may have two names, as an output layer that is the token embedding: one of them is enough.
    parameters = dict(model.named_parameters(remove_duplicate=False))
    packed = {parameters[name].data_ptr() for name in weights}
    tensors |= {
        name: parameter.detach().contiguous()
        for name, parameter in model.named_parameters()
        if parameter.data_ptr() not in packed
    }
    with replacing_folder(folder) as new:
        model.config.save_pretrained(new)
        if model.generation_config is not None:
            model.generation_config.save_pretrained(new)
        tokenizer.save_pretrained(new)
        save_file(tensors, new / WEIGHTS)
        write_text(new / DESCRIPTION, json.dumps({"scheme": SCHEME, "bits": bits, "weights": [*weights]}, indent=1))
        seal(new)


def is_packed(folder: Path) -> bool:
    """Return whether a folder holds a model that `save_packed` wrote."""
    return (folder / DESCRIPTION).is_file()


def read_packed(folder: Path) -> tuple[dict[str, GroupedWeight], dict[str, Tensor]]:
    """Return the packed weights of a folder, and its other tensors, by the names of the parameters.

    Raises:
        ValueError: another scheme, files that are not whole, or scales that do not fit their integers.
    """
    description = read_json(folder / DESCRIPTION)
    scheme, bits = description.get("scheme"), description.get("bits")
    if scheme != SCHEME or bits not in (4, 8):
        raise ValueError(
            f"{folder / DESCRIPTION} says {scheme!r} with {bits} bits, and only {SCHEME!r} with 4 or 8 can be read: "
            "quantize the model again with sprints/14_quantization/save_quantized.py"
        )
    tensors, _ = read_safetensors(folder / WEIGHTS)
    packed = {}
    try:
        for name in description["weights"]:
            integers, scales = tensors.pop(name + INTEGERS), tensors.pop(name + SCALES)
            if not _divides(integers, scales, bits):
                raise ValueError(
                    f"{folder / WEIGHTS} has {name + INTEGERS} of shape {(*integers.shape,)} and {name + SCALES} of "
                    f"shape {(*scales.shape,)}, which do not fit together: get a whole copy of {folder}"
                )
            packed[name] = GroupedWeight(unpack(integers, bits), scales)
    except KeyError as error:
        raise ValueError(f"{folder} lacks {error.args[0]}: get a whole copy of it") from None
    return packed, tensors


def _divides(integers: Tensor, scales: Tensor, bits: int) -> bool:
    """Return whether each row of packed integers divides into as many groups as it has scales."""
    if integers.dim() != 2 or scales.dim() != 2 or len(integers) != len(scales):
        return False
    groups = scales.shape[1]
    return groups > 0 and integers.shape[1] * (8 // bits) % groups == 0


def load_packed(kind: Any, folder: Path, **options: Any) -> tuple["PreTrainedModel", dict[str, list]]:
    """Return the model of a packed folder, in float32, and what it lacks, as `from_pretrained` says it.

    Args:
        kind: an Auto class of transformers.
        folder: what `save_packed` wrote.
        options: of the configuration.

    Raises:
        ValueError: as for `read_packed`, or a tensor has another shape than the configuration says.
    """
    from transformers import AutoConfig, GenerationConfig

    config = AutoConfig.from_pretrained(folder, **options)
    packed, tensors = read_packed(folder)
    turned = CONV1D.get(config.model_type, ())
    for name, weight in packed.items():
        numbers = weight.to_float()
        tensors[name] = numbers.T.contiguous() if turned and name.endswith(turned) else numbers
    model = kind.from_config(config)
    for name, expected in model.state_dict().items():
        if name in tensors and tensors[name].shape != expected.shape:
            raise ValueError(
                f"{folder / WEIGHTS} has {name} of shape {(*tensors[name].shape,)}, and by its config.json it is "
                f"{(*expected.shape,)}: get a whole copy of {folder}"
            )
    missing = set(model.load_state_dict(tensors, strict=False).missing_keys)
    if (folder / "generation_config.json").is_file():
        model.generation_config = GenerationConfig.from_pretrained(folder)
    # An output layer that is the token embedding has two names, and one of them is enough.
    return model, {
        "missing_keys": [name for name, _ in model.named_parameters() if name in missing],
        "mismatched_keys": [],
    }
