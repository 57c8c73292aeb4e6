"""The model that the repository ships, as our GPT, with its tokenizer."""

import torch

from shared.nn.gpt import GPT
from shared.nn.pretrained import SHIPPED_FOLDER, load_causal_model
from shared.text.tokenizers import Tokenizer


class ShippedModel:
    """The shipped model, its tokenizer and what each token spells."""

    def __init__(self) -> None:
        self.gpt = GPT.from_transformers(load_causal_model()[0]).eval()  # ty: ignore[invalid-argument-type]
        self.tokenizer = Tokenizer.load(SHIPPED_FOLDER)
        self.spelled = [self.tokenizer.decode([token]) for token in range(self.gpt.config.vocab_size)]

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text behind the one that starts it."""
        return [self.tokenizer.end_token, *self.tokenizer.encode(text)]

    def last_piece(self, text: str) -> int:
        """Return where the last piece of a text begins: a word with its space, or a lone space."""
        return self.tokenizer.backend.pre_tokenizer.pre_tokenize_str(text)[-1][1][0]

    @torch.no_grad()
    def logits(self, prompt: list[int]) -> torch.Tensor:  # (vocab,)
        """Return the logits of the token after a prompt."""
        return self.gpt(torch.tensor([prompt]))[0, -1]
