"""Pre-trained models of transformers: the one that the repository ships, SmolLM2, one of the hub, or one in a folder.

Here transformers is the subject, so models come as its classes; `shared/nn/gpt.py` converts to and from them.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxtyping import Float, Int
from torch import Tensor, nn

from shared.lab.faults import is_out_of_memory
from shared.lab.paths import DATA
from shared.lab.provenance import note_read
from shared.nn.model_folders import check_seal, refuse_if_not_finite
from shared.nn.packaged_models import packaged_folder
from shared.nn.packed_weights import is_packed, load_packed

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SHIPPED = "cookbook"
SMOLLM2 = "smollm2"
SHIPPED_FOLDER = DATA / "models" / "cookbook-gpt2"


def locate_model(name: str) -> str:
    """Return what `from_pretrained` takes for "cookbook" (the shipped model), "smollm2", a folder, a name of the hub.

    Raises:
        ValueError: a folder without a model, or SmolLM2 cannot be had; says how.
    """
    if name == SHIPPED:
        return str(note_read(SHIPPED_FOLDER))
    if name == SMOLLM2:
        return str(note_read(packaged_folder(name), name))
    folder = Path(name).expanduser()
    if folder.is_dir() and not (folder / "config.json").is_file():
        raise ValueError(f"{name} is a folder without a config.json: name one that save_pretrained wrote")
    if not folder.exists() and (folder.is_absolute() or name.startswith(("./", "../", "~"))):
        raise ValueError(f"there is no folder {name}: name one that save_pretrained wrote, or '{SHIPPED}'")
    return str(folder) if folder.is_dir() else name


def load_tokenizer(name: str = SHIPPED) -> "PreTrainedTokenizerBase":
    """Return the tokenizer of a model; one without a padding token pads with its end-of-text token.

    GPT-2 has no padding token. Whatever stands in the padding is hidden by the attention mask, so any token will do.

    Raises:
        ValueError: it cannot be loaded, or has neither a padding nor an end-of-text token.
    """
    from transformers import AutoTokenizer

    tokenizer = _load(AutoTokenizer, name)
    if tokenizer.pad_token is None:
        if tokenizer.eos_token is None:
            raise ValueError(f"the tokenizer of {name} has neither a padding nor an end-of-text token: set one of them")
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_causal_model(name: str = SHIPPED) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    """Return a causal language model, in evaluation mode, and its tokenizer (as by `load_tokenizer`).

    Args:
        name: "cookbook" (the shipped model), "smollm2" (SmolLM2-135M-Instruct, of the group models), a folder in
            transformers' format, or a name of the hub such as "gpt2".

    Raises:
        ValueError: the model or its tokenizer cannot be loaded, or is not whole; says what can.
    """
    from transformers import AutoModelForCausalLM

    tokenizer = load_tokenizer(name)
    return load_whole(AutoModelForCausalLM, name).eval(), tokenizer


class Logits(nn.Module):
    """A causal model of transformers, quantized or not, that returns its logits alone, as our losses want it."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.training = model.training  # so that an evaluation leaves the model as it was, not in training mode

    def forward(self, tokens: Int[Tensor, "batch tokens"]) -> Float[Tensor, "batch tokens vocab"]:
        """Return the logits of the token after each token; padding has to be on the right, where nothing looks."""
        # A quantized embedding wants its tokens side by side in memory, and those of a shortened batch are not.
        return self.model(input_ids=tokens.contiguous(), use_cache=False).logits


def context_length(model: "PreTrainedModel") -> int:
    """Return how many tokens the model can look at."""
    return int(model.config.max_position_embeddings)


def _load(kind: Any, name: str, **options: Any) -> Any:
    """Return `kind.from_pretrained` of a model, with an error that names the way out."""
    path = locate_model(name)
    if Path(path).is_dir():
        check_seal(Path(path))
    try:
        return kind.from_pretrained(path, **options)
    except Exception as error:  # of broken files the libraries raise of all kinds
        if is_out_of_memory(error):
            raise
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ValueError(
            f"cannot load {name!r} ({reason}): name '{SHIPPED}', a folder that save_pretrained wrote, "
            "or a model of the hub when there is a network"
        ) from error


def load_whole(kind: Any, name: str, new: str | None = None, **options: Any) -> "PreTrainedModel":
    """Return a model whose weights are all there; transformers alone would go on with random ones.

    Args:
        kind: a class of transformers that has `from_pretrained`, which takes the options.
        name: as for `load_causal_model`.
        new: how the names of weights begin that it need not have: those of a new head.

    Raises:
        ValueError: it cannot be loaded, or is not whole.
    """
    if is_packed(folder := Path(locate_model(name))):
        check_seal(folder)
        model, info = load_packed(kind, folder, **options)
    else:
        model, info = _load(kind, name, output_loading_info=True, ignore_mismatched_sizes=True, **options)
    missing = sorted({*info["missing_keys"], *(key for key, *_ in info["mismatched_keys"])})
    if missing := [key for key in missing if new is None or not key.startswith(new)]:
        raise ValueError(
            f"{name!r} lacks {missing[0]}, or has it in another shape ({len(missing)} in all): get a whole copy of the "
            "model"
        )
    refuse_if_not_finite(dict(model.named_parameters()), f"the model {name!r}")
    return model
