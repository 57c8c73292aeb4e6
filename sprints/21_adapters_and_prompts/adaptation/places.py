"""What the families of models call the layers to which methods are applied."""

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Places:
    """Names of a family's modules, or the last parts of them.

    Args:
        linear: all linear layers of a block.
        outputs: the last layer of the attention and of the feed-forward network.
        scaled: what IA3 scales: keys, values (GPT-2 makes queries in the same layer) and the hidden features.
        hidden: those of `scaled` whose inputs are scaled: the layer that reads the hidden features.
    """

    linear: tuple[str, ...]
    outputs: tuple[str, str]
    scaled: tuple[str, ...]
    hidden: tuple[str, ...]


GPT2 = Places(
    linear=("c_attn", "attn.c_proj", "c_fc", "mlp.c_proj"),
    outputs=("attn.c_proj", "mlp.c_proj"),
    scaled=("c_attn", "mlp.c_proj"),
    hidden=("mlp.c_proj",),
)
LLAMA = Places(
    linear=("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
    outputs=("o_proj", "down_proj"),
    scaled=("k_proj", "v_proj", "down_proj"),
    hidden=("down_proj",),
)


def places_of(model: nn.Module) -> Places:
    """Return the names of a model's layers.

    Raises:
        ValueError: a model of another family than GPT-2 and Llama.
    """
    names = {path.rpartition(".")[2] for path, _ in model.named_modules()}
    for places, sign in ((GPT2, "c_attn"), (LLAMA, "gate_proj")):
        if sign in names:
            return places
    raise ValueError(
        f"places are known for GPT-2 and Llama of transformers; got {type(model).__name__}: write the method's "
        "configuration with targets of your own"
    )
