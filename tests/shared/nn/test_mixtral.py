"""Mixtral is transformers' Mixtral: the same logits, losses and gradients, with padding on either side."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from shared.checks.invariants import check_cache, check_causality, check_padding_invariance
from shared.nn.llama import Llama
from shared.nn.mixtral import Mixtral, MixtralConfig, to_their_weights
from shared.nn.mixture_of_experts import balance_loss, pooled_balance_loss
from shared.training.losses import next_token_loss

SMALL = MixtralConfig(
    40, context=32, layers=2, heads=4, key_value_heads=2, d_model=16, d_hidden=24, experts=4, top_k=2, tie_weights=False
)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def mixtral(generator: torch.Generator) -> Mixtral:
    return perturbed(SMALL, generator)


def perturbed(config: MixtralConfig, generator: torch.Generator) -> Mixtral:
    """Return a model with gains that are not 1 and weights as large as in a trained one."""
    model = Mixtral(config, generator)
    for parameter in model.parameters():
        parameter.data.mul_(5 if parameter.dim() == 2 else 1).add_(
            0.1 * torch.randn(parameter.shape, generator=generator)
        )
    return model


def tokens(batch: int, length: int, generator: torch.Generator) -> torch.Tensor:
    return torch.randint(SMALL.vocab_size, (batch, length), generator=generator)


REAL = {
    "no padding": None,
    "right": torch.arange(9) < torch.tensor([9, 6, 3])[:, None],
    "left": torch.arange(9) >= torch.tensor([0, 3, 5])[:, None],
}


@pytest.mark.parametrize(("top_k", "padding"), [(1, "right"), (2, "no padding"), (2, "left"), (4, "left")])
def test_equals_transformers_in_logits_losses_and_gradients(top_k: int, padding: str, generator: torch.Generator):
    mixtral = perturbed(replace(SMALL, top_k=top_k), generator)
    theirs, ids, real = mixtral.to_transformers(), tokens(3, 9, generator), REAL[padding]
    theirs.config.output_router_logits = True
    theirs.router_aux_loss_coef = 0.5
    seen = torch.ones_like(ids) if real is None else real.long()
    positions = (seen.cumsum(dim=1) - 1).clamp(min=0)
    labels = ids if real is None else ids.where(real, -100)
    out = theirs(ids, attention_mask=seen, position_ids=positions, labels=labels)

    with torch.no_grad():
        logits = mixtral(ids, mask=real, positions=positions)
    shown = slice(None) if real is None else real
    torch.testing.assert_close(logits[shown], out.logits[shown], atol=1e-5, rtol=1e-5)
    logits, routing = mixtral.with_routing(ids, real, positions)
    torch.testing.assert_close(pooled_balance_loss(routing, real), out.aux_loss, atol=1e-5, rtol=1e-5)
    loss = next_token_loss(logits, ids, real) + 0.5 * pooled_balance_loss(routing, real)
    torch.testing.assert_close(loss, out.loss, atol=1e-5, rtol=1e-5)

    loss.backward()
    out.loss.backward()
    gradients = {n: p.grad if p.grad is not None else torch.zeros_like(p) for n, p in mixtral.named_parameters()}
    ours, names = to_their_weights(gradients), dict(theirs.named_parameters())
    assert ours.keys() == names.keys()
    for name, gradient in ours.items():
        torch.testing.assert_close(gradient, names[name].grad, atol=1e-5, rtol=1e-4, msg=name)


def test_there_and_back_and_with_a_tied_head(generator: torch.Generator):
    mixtral = perturbed(replace(SMALL, tie_weights=True, theta=1e6), generator)
    theirs, ids = mixtral.to_transformers(end_token=1, pad_token=2), tokens(2, 7, generator)
    assert (theirs.config.eos_token_id, theirs.config.pad_token_id) == (1, 2)
    back = Mixtral.from_transformers(theirs)
    assert back.config == mixtral.config
    assert torch.equal(back(ids), mixtral(ids))


def test_one_expert_is_a_llama(generator: torch.Generator):
    mixtral = perturbed(replace(SMALL, experts=1, top_k=1), generator)
    llama, ids = Llama(SMALL), tokens(2, 7, generator)
    weights = mixtral.state_dict()
    llama.load_state_dict({n.replace("experts.0.", ""): w for n, w in weights.items() if "router" not in n})
    torch.testing.assert_close(mixtral(ids), llama(ids), atol=1e-5, rtol=1e-5)
    assert mixtral.active_parameter_count() == mixtral.parameter_count() == llama.parameter_count() + 2 * 16


def test_looks_back_only_never_at_padding_and_the_cache_changes_nothing(mixtral: Mixtral, generator: torch.Generator):
    ids = tokens(2, 10, generator)
    check_cache(mixtral, ids)
    check_causality(mixtral, ids, vocab_size=SMALL.vocab_size)
    real = torch.arange(10) < torch.tensor([10, 6])[:, None]
    check_padding_invariance(lambda ids, mask: mixtral(ids, mask=mask), ids, real, vocab_size=SMALL.vocab_size)


def test_parameters_that_compute_a_token_are_those_with_a_gradient(generator: torch.Generator):
    mixtral = perturbed(replace(SMALL, experts=4, top_k=1), generator)
    functional.mse_loss(mixtral(tokens(1, 1, generator)), torch.zeros(1, 1, 40)).backward()
    used = sum(p.numel() for p in mixtral.parameters() if p.grad is not None)
    # The router of one choice has the weight 1 and no gradient, and the embedding has one for a row: all are there.
    assert used == mixtral.active_parameter_count()
    assert mixtral.parameter_count() == used + 2 * 3 * 3 * 16 * 24


def test_the_balance_of_layers_is_not_that_of_their_pool(mixtral: Mixtral, generator: torch.Generator):
    _, routing = mixtral.with_routing(tokens(3, 9, generator))
    assert len(routing) == 2
    assert balance_loss(routing) > pooled_balance_loss(routing)


@pytest.mark.parametrize("top_k", [0, 5])
def test_top_k_is_from_one_to_the_experts(top_k: int):
    with pytest.raises(ValueError, match=f"got top_k={top_k} of experts=4: give"):
        replace(SMALL, top_k=top_k)


@pytest.mark.parametrize("more", [{"sliding_window": 4}, {"router_jitter_noise": 0.1}])
def test_what_is_more_than_a_mixtral_is_refused(more: dict[str, float], mixtral: Mixtral):
    theirs = mixtral.to_transformers()
    for name, value in more.items():
        setattr(theirs.config, name, value)
    with pytest.raises(ValueError, match=f"plain Mixtral; it has {next(iter(more))}="):
        Mixtral.from_transformers(theirs)
