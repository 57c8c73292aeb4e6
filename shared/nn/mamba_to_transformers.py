"""Trained here, used there: a language model of Mamba or Mamba-2 layers as a model of transformers.

The way in, `mamba_from_transformers` and `mamba2_from_transformers`, stands beside the layers.
"""

from typing import TYPE_CHECKING, Any

from shared.nn import mamba, mamba2
from shared.nn.mamba import Mamba
from shared.nn.mamba2 import Mamba2
from shared.nn.sequence_model import Residual, SequenceModel

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import Mamba2ForCausalLM, MambaForCausalLM


def mamba_to_transformers(model: SequenceModel) -> "MambaForCausalLM":
    """Return the same model as a `MambaForCausalLM`, in evaluation mode.

    Raises:
        ValueError: a layer is not a residual Mamba, layers differ in size, or the output layer is not the embedding.
    """
    from transformers import MambaConfig, MambaForCausalLM

    layers = layers_of(model, Mamba)
    first = layers[0]
    if not is_tied(model):
        raise ValueError(
            "transformers' Mamba has the embedding as output layer; this model has another one: build it with outputs "
            "None"
        )
    config = MambaConfig(**common_fields(model, layers), state_size=first.d_state, time_step_rank=first.rank)
    return put_weights(model, MambaForCausalLM(config), mamba.NAMES)


def mamba2_to_transformers(model: SequenceModel) -> "Mamba2ForCausalLM":
    """Return the same model as a `Mamba2ForCausalLM`, in evaluation mode.

    Raises:
        ValueError: a layer is not a residual Mamba-2, or layers differ in size.
    """
    from transformers import Mamba2Config, Mamba2ForCausalLM

    layers = layers_of(model, Mamba2)
    first = layers[0]
    config = Mamba2Config(
        **common_fields(model, layers), state_size=first.d_state, num_heads=first.heads,
        head_dim=first.inner // first.heads, n_groups=first.groups, chunk_size=first.chunk,
        time_step_limit=first.steps, tie_word_embeddings=is_tied(model),
    )  # fmt: skip
    return put_weights(model, Mamba2ForCausalLM(config), mamba2.NAMES)


def layers_of(model: SequenceModel, kind: type) -> list[Any]:
    """Return the layers of a model, which all must be of one kind, one size and behind a norm each."""
    found = [block.layer if isinstance(block, Residual) else block for block in model.layers]
    if wrong := [type(layer).__name__ for layer in found if not isinstance(layer, kind)]:
        raise ValueError(f"each layer must be a {kind.__name__} in a Residual; this model has {', '.join(wrong)}")
    sizes = [{name: weight.shape for name, weight in layer.state_dict().items()} for layer in found]
    if any(size != sizes[0] for size in sizes):
        raise ValueError("transformers has one size for all layers; those of this model differ: build them alike")
    return found


def common_fields(model: SequenceModel, layers: list[Any]) -> dict[str, Any]:
    """Return what the configurations of both kinds of Mamba hold."""
    return {
        "vocab_size": model.embedding.num_embeddings, "hidden_size": layers[0].d_model,
        "num_hidden_layers": len(layers), "expand": layers[0].inner // layers[0].d_model,
        "conv_kernel": layers[0].convolution.kernel, "layer_norm_epsilon": model.norm.epsilon,
        "bos_token_id": None, "eos_token_id": None, "pad_token_id": None,
    }  # fmt: skip


def is_tied(model: SequenceModel) -> bool:
    """Return whether the output layer is the embedding."""
    return model.head.weight is model.embedding.weight


def put_weights(model: SequenceModel, theirs: Any, names: dict[str, str]) -> Any:
    """Return transformers' model with the weights of ours, in its dtype."""
    weights, targets = model.state_dict(), theirs.state_dict()
    copied = {"backbone.embeddings.weight": "embedding.weight", "backbone.norm_f.weight": "norm.gain"}
    copied["lm_head.weight"] = "head.weight"
    for index in range(len(model.layers)):
        copied[f"backbone.layers.{index}.norm.weight"] = f"layers.{index}.norm.gain"
        for own, name in names.items():
            copied[f"backbone.layers.{index}.mixer.{name}"] = f"layers.{index}.layer.{own}"
    theirs.load_state_dict({name: weights[own].view_as(targets[name]) for name, own in copied.items()})
    return theirs.to(model.embedding.weight.dtype).eval()
