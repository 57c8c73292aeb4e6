"""The policy that all training begins with: what the warm start saved."""

from pathlib import Path
from typing import TYPE_CHECKING

from kitchen.tokenizer import kitchen_tokenizer
from shared.lab.paths import DATA
from shared.lab.provenance import note_read
from shared.nn.llama import Llama
from shared.nn.llama_files import load_llama

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

SHIPPED_POLICY = DATA / "models" / "kitchen-llama"


def load_warm_policy(folder: Path = SHIPPED_POLICY) -> "tuple[Llama, PreTrainedTokenizerBase]":
    """Return the model that the warm start saved, and its tokenizer.

    Raises:
        ValueError: there is no model in the folder, or one with another vocabulary than the kitchen's.
    """
    model, tokenizer = load_llama(note_read(folder)), kitchen_tokenizer()
    if model.config.vocab_size != len(tokenizer):
        raise ValueError(
            f"--model takes a folder that warm_start.py wrote, with a model of the kitchen's {len(tokenizer)} tokens; "
            f"that in {folder} has {model.config.vocab_size}"
        )
    return model, tokenizer
