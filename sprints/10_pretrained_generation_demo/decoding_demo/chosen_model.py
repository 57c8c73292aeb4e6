"""The model that an option names, as ours: GPT-2 or Llama, with its tokenizer and what begins and ends its texts."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from decoding_demo.chat import encode_chat
from decoding_demo.prompts import encode_text, text_start
from shared.nn.gpt import GPT
from shared.nn.llama import Llama
from shared.nn.pretrained import SHIPPED, load_causal_model

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class ChosenModel:
    """A model in evaluation mode; `name` is what the user called it."""

    name: str
    model: GPT | Llama
    tokenizer: "PreTrainedTokenizerBase"
    ends: frozenset[int]

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return next(self.model.parameters()).device

    @property
    def can_chat(self) -> bool:
        """Whether its tokenizer says how a conversation is written."""
        return bool(self.tokenizer.chat_template)

    def encode(self, prompt: str, chat: bool | None = None) -> list[int]:
        """Return the tokens of a prompt: a message to be answered, or the beginning of a text.

        Args:
            prompt: whatever a user wrote.
            chat: whether it is a message (default: if the model can chat).

        Raises:
            ValueError: a message to a model without a chat template.
        """
        if chat and not self.can_chat:
            raise ValueError(
                f"{self.name} has no chat template, so it can only continue a text: leave --chat out, or name a model "
                "that was taught to chat, such as smollm2"
            )
        if chat is False or not self.can_chat:
            return encode_text(self.tokenizer, prompt)
        return encode_chat(self.tokenizer, [{"role": "user", "content": prompt}])


def ours(theirs: "PreTrainedModel", name: str) -> GPT | Llama:
    """Return a model of transformers as ours, in evaluation mode.

    Raises:
        ValueError: it is neither a GPT-2 nor a Llama, or a variant that ours is not.
    """
    kind = theirs.config.model_type
    if kind == "gpt2":
        return GPT.from_transformers(theirs)  # ty: ignore[invalid-argument-type] (what it is, its configuration says)
    if kind == "llama":
        return Llama.from_transformers(theirs)  # ty: ignore[invalid-argument-type]
    raise ValueError(f"a model must be a GPT-2 or a Llama, {name} is a {kind}: name another")


def load(name: str = SHIPPED, device: str | torch.device = "cpu") -> ChosenModel:
    """Return a model as ours.

    Raises:
        ValueError: it cannot be loaded, or is of another family.
    """
    theirs, tokenizer = load_causal_model(name)
    end = theirs.generation_config.eos_token_id if theirs.generation_config else tokenizer.eos_token_id
    ends = {*(end if isinstance(end, list) else [end]), text_start(tokenizer)} - {None}
    return ChosenModel(name, ours(theirs, name).to(device), tokenizer, frozenset(ends))
