"""All invariants of `shared/checks/invariants.py` that a GPT has to keep, as a table of verdicts."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from shared.checks.invariants import InvariantError, check_cache, check_causality, check_padding_invariance
from shared.checks.sanity import check_gradients, check_initial_loss, check_overfits_one_batch, check_reported_loss
from shared.nn.gpt import GPT
from shared.training.losses import next_token_loss


def check_language_model(model: GPT, documents: Sequence[Sequence[int]]) -> dict[str, str]:
    """Run every invariant that has a meaning for a language model on four documents; return "holds" or what it says."""
    vocab, device = model.config.vocab_size, next(model.parameters()).device
    tokens = torch.tensor([document[:24] for document in documents], device=device)
    real = torch.arange(24, device=device) < torch.tensor([24, 20, 16, 12], device=device)[:, None]

    def loss_of(model: nn.Module) -> Tensor:
        return next_token_loss(model(tokens), tokens)

    checks: dict[str, Callable[[], Any]] = {
        "initial loss": lambda: check_initial_loss(loss_of(model).item(), vocab),
        "reported loss": lambda: check_reported_loss(loss_of(model).item(), model, tokens),
        "gradients": lambda: check_gradients(model, loss_of(model)),
        "overfits one batch": lambda: check_overfits_one_batch(model, loss_of),
        "padding": lambda: check_padding_invariance(
            lambda tokens, mask: model(tokens, mask=mask), tokens, real, vocab_size=vocab
        ),
        "causality": lambda: check_causality(model, tokens, vocab_size=vocab),
        "cache": lambda: check_cache(model, tokens),
    }
    verdicts = {}
    for name, check in checks.items():
        try:
            check()
            verdicts[name] = "holds"
        except InvariantError as error:
            verdicts[name] = str(error)
    return verdicts
