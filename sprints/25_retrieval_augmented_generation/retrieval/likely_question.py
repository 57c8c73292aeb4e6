"""A language model as a reader of sentences: how much more likely does a text make the question?

    gain(text) = (log p(question | text) - log p(question)) / tokens of the question

A text that answers a question makes it likely. Nothing is written, so nothing can be invented: what is shown is the
text itself. Ponte & Croft 1998 rank documents so; Sachan et al. 2022, *Improving passage retrieval with zero-shot
question generation*, do it with a pre-trained language model.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence

from shared.lab.runtime import autocast
from shared.nn.pretrained import load_causal_model
from shared.training.losses import token_losses

LONGEST = 300  # tokens of a text that are read


class QuestionLikelihood:
    """Says of texts how much more likely they make a question.

    Args:
        name: as for `load_causal_model`: "smollm2", or a folder.
        precision: of matrix products.
    """

    def __init__(self, name: str, precision: str = "auto") -> None:
        model, tokenizer = load_causal_model(name)
        self.model: Any = model  # the methods of transformers have no types to rely on
        self.tokenizer: Any = tokenizer
        self.precision = precision

    def gains(self, question: str, texts: Sequence[str], size: int = 8) -> list[float]:
        """Return for each text what it saves of the question, in nats a token; `size` texts are read at once."""
        asked = self.tokenizer(f" {question}", add_special_tokens=False).input_ids
        before = self._log_probability(["Question:"], asked)[0]
        found: list[float] = []
        for start in range(0, len(texts), size):
            prompts = [f"{' '.join(text.split())}\nQuestion:" for text in texts[start : start + size]]
            found += [value - before for value in self._log_probability(prompts, asked)]
        return found

    @torch.no_grad()
    def _log_probability(self, prompts: Sequence[str], asked: list[int]) -> list[float]:
        """Return the mean log probability of the question's tokens behind each prompt."""
        begins = [self.tokenizer(prompt, add_special_tokens=False).input_ids[-LONGEST:] for prompt in prompts]
        rows = [torch.tensor(ids + asked) for ids in begins]
        tokens = pad_sequence(rows, batch_first=True)
        real = pad_sequence([torch.ones_like(row) for row in rows], batch_first=True).bool()
        scored = real.clone()
        for row, ids in enumerate(begins):
            scored[row, : len(ids)] = False
        with autocast(torch.device("cpu"), self.precision):
            logits = self.model(input_ids=tokens, attention_mask=real.long(), use_cache=False).logits
        return (-token_losses(logits[:, :-1], tokens, scored).sum(dim=1) / len(asked)).tolist()
