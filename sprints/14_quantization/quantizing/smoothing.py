"""SmoothQuant written out: what is too large in an input moves into the weights that multiply it.

    sum_j w_ij x_j = sum_j (w_ij t_j) (x_j / t_j)

The division costs nothing at run time where something before the layer can do it: a norm divides its own weights, and
in the gated feed-forward network of a Llama the layer `up` divides its rows (Xiao et al. 2023, *SmoothQuant*).
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from quantizing.converted import with_linears
from quantizing.eager_mode import HEAD, require_known_family

SMALLEST = 1e-5


class Fold(NamedTuple):
    """A module by its name, and the linear layers that read its outputs; nothing else reads them."""

    producer: str
    readers: tuple[str, ...]


def folds(model: PreTrainedModel) -> list[Fold]:
    """Return the places of a GPT-2 or a Llama where features can be divided and multiplied again.

    Not among them: what enters the projection behind attention, and GPT-2's second feed-forward matrix, which has a
    GELU before it that a factor cannot pass.

    Raises:
        ValueError: it is neither.
    """
    require_known_family(model)
    found: list[Fold] = []
    for number in range(model.config.num_hidden_layers):
        if model.config.model_type == "gpt2":
            block = f"transformer.h.{number}"
            found += [
                Fold(f"{block}.ln_1", (f"{block}.attn.c_attn",)),
                Fold(f"{block}.ln_2", (f"{block}.mlp.c_fc",)),
            ]
            continue
        block = f"model.layers.{number}"
        heads = tuple(f"{block}.self_attn.{name}_proj" for name in "qkv")
        found += [
            Fold(f"{block}.input_layernorm", heads),
            Fold(f"{block}.post_attention_layernorm", (f"{block}.mlp.gate_proj", f"{block}.mlp.up_proj")),
            # down reads silu(gate) * up: what divides up divides the product.
            Fold(f"{block}.mlp.up_proj", (f"{block}.mlp.down_proj",)),
        ]
    last = "transformer.ln_f" if model.config.model_type == "gpt2" else "model.norm"
    return [*found, Fold(last, (HEAD,))]


def factors(inputs: Tensor, weights: Tensor, alpha: float) -> Tensor:
    """Return what each feature is divided by, (features,): t = a^alpha / b^(1 - alpha).

    Args:
        inputs: a, the largest size of each feature in some text.
        weights: b, the largest size of the weights that multiply it.
        alpha: how much of the outliers moves: 0 evens out the weights, 1 the inputs, 1/2 shares equally.
    """
    return inputs.clamp(min=SMALLEST) ** alpha / weights.clamp(min=SMALLEST) ** (1 - alpha)


def divide_outputs(module: nn.Module, by: Tensor) -> None:
    """Divide each output of a norm or a linear layer by a number of its own, (outputs,)."""
    for name, parameter in module.named_parameters(recurse=False):
        # The weight of a norm is (features,), that of a linear layer (outputs, inputs): a row makes an output.
        parameter.data /= by.unsqueeze(1) if name == "weight" and parameter.dim() == 2 else by


def own_head(model: PreTrainedModel) -> None:
    """Give the output layer of a model weights of its own, where it shares those of the token embedding."""
    head = model.get_submodule(HEAD)
    assert isinstance(head, nn.Linear)
    if head.weight is model.get_input_embeddings().weight:
        head.weight = nn.Parameter(head.weight.detach().clone())
        model.config.tie_word_embeddings = False


@torch.no_grad()
def smooth(model: PreTrainedModel, largest: Mapping[str, Tensor], alpha: float = 0.5) -> PreTrainedModel:
    """Return a copy that computes the same, with smaller outliers in what enters its linear layers.

    Args:
        model: a GPT-2 or a Llama; Conv1D becomes Linear.
        largest: the largest size of each input feature, by the name of the layer (`activations.largest_inputs`).
        alpha: as for `factors`.

    Raises:
        ValueError: it is neither, or alpha is not between 0 and 1.
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha must be between 0 (weights even) and 1 (inputs even); got {alpha}")
    places = folds(model)
    model = with_linears(model)
    own_head(model)
    for producer, names in places:
        readers: list[Tensor] = [
            model.get_submodule(name).get_parameter("weight") for name in names
        ]  # each (outputs, features)
        weights = torch.cat(readers).abs().amax(0)  # (features,)
        by = factors(largest[names[0]], weights, alpha)
        divide_outputs(model.get_submodule(producer), by)
        for reader in readers:
            reader *= by  # each column by its factor
    return model
