"""New vectors for words that pre-training never showed, from the places where a text uses them.

Theory: notes/10_getting_closer.md
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from shared.nn.gpt import GPT
from shared.text.batches import TextDataset


@torch.no_grad()
def expected_vectors(
    model: GPT, documents: Sequence[Sequence[int]], unseen: Int[Tensor, " unseen"], rows: int = 8
) -> tuple[Float[Tensor, "unseen d_model"], Int[Tensor, " unseen"]]:
    """Return for each new word the mean of the vectors that the old model expected in its places, and how many places.

    At a place with logits z the old model expects sum_v softmax(z)_v E_v, over the words v that it knows.

    Args:
        model: as pre-training left it.
        documents: tokens of a text that uses the words.
        unseen: the new words.
        rows: blocks that are computed at once.
    """
    weight = model.token_embedding.weight
    known = torch.ones(len(weight), dtype=torch.bool, device=weight.device).index_fill_(0, unseen.to(weight.device), 0)
    sums = torch.zeros(len(weight), weight.shape[1], device=weight.device)
    counts = torch.zeros(len(weight), dtype=torch.long, device=weight.device)
    for batch in TextDataset(documents, model.config.context - 1).batches(rows):
        tokens, mask = batch.tokens.to(weight.device), batch.mask
        logits = model(tokens[:, :-1]).float()  # (rows, targets, vocab)
        expected = logits.masked_fill(~known, -torch.inf).softmax(dim=-1) @ weight  # (rows, targets, d_model)
        targets, real = tokens[:, 1:], torch.ones_like(tokens, dtype=torch.bool) if mask is None else mask
        chosen = real.to(weight.device)[:, 1:] & ~known[targets]
        sums.index_add_(0, targets[chosen], expected[chosen])
        counts += torch.bincount(targets[chosen], minlength=len(counts))
    means = sums / counts.clamp(min=1)[:, None]
    return means[unseen], counts[unseen]
