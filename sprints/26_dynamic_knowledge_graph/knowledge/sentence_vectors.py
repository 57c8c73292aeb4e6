"""Vectors of texts by a pre-trained model, each text read once."""

from collections.abc import Callable, Sequence

import torch
from torch.nn import functional

from knowledge.link_scores import Vectors


def minilm(context: int = 128, at_once: int = 64) -> Callable[[Sequence[str]], Vectors]:
    """Return what makes a unit vector of each text by all-MiniLM-L6-v2: the mean over its tokens, at length 1.

    Sprint 25, note 4, measures it on questions. A text that was read once is remembered.

    Args:
        context: tokens of a text that are read.
        at_once: texts that are read together.

    Raises:
        ValueError: the group `models` is not installed.
    """
    from transformers import AutoModel, AutoTokenizer  # it takes seconds to import

    from shared.nn.packaged_models import packaged_folder

    folder = packaged_folder("minilm")
    model, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    assert tokenizer is not None
    known: dict[str, torch.Tensor] = {}

    @torch.no_grad()
    def encode(texts: Sequence[str]) -> Vectors:
        new = sorted({text for text in texts if text not in known}, key=len)  # texts of like length together
        for start in range(0, len(new), at_once):
            some = new[start : start + at_once]
            rows = tokenizer(some, padding=True, truncation=True, max_length=context, return_tensors="pt")
            weights = rows["attention_mask"][:, :, None].float()
            total = (model(**rows).last_hidden_state * weights).sum(dim=1)
            known.update(zip(some, functional.normalize(total, dim=1), strict=True))
        return torch.stack([known[text] for text in texts])

    return encode
