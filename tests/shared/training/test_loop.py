"""The training loop equals a loop written by hand, and accumulation equals a large batch."""

import itertools

import pytest
import torch
from torch import nn

from shared.nn.gpt import GPT, GPTConfig
from shared.text.batches import pad_rows
from shared.training.loop import NonFiniteTraining, train_steps
from shared.training.losses import language_model_loss, next_token_loss
from shared.training.optimizers import make_optimizers

ROWS = [[1, 2, 3, 4, 5], [3, 1, 2], [4, 1, 5, 9, 2, 6], [7, 8]]


def make_model() -> GPT:
    config = GPTConfig(vocab_size=11, context=16, layers=2, heads=2, d_model=8, dropout=0.0)
    return GPT(config, torch.Generator().manual_seed(0))


def train(model: nn.Module, **settings) -> list[float]:
    settings = {
        "batches": itertools.repeat(pad_rows(ROWS)),
        "loss_function": language_model_loss,
        "optimizers": make_optimizers(model, learning_rate=1e-2),
        "steps": 5,
    } | settings
    return [loss for _, loss in train_steps(model, **settings)]


def same(one: nn.Module, two: nn.Module, **tolerance: float) -> None:
    for (name, mine), yours in zip(one.named_parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(mine, yours, msg=lambda text, name=name: f"{name}: {text}", **tolerance)


def test_the_loop_equals_one_written_by_hand():
    ours, theirs = make_model(), make_model()
    losses = train(ours)
    optimizer = torch.optim.AdamW(theirs.parameters(), lr=1e-2, betas=(0.9, 0.95), weight_decay=0.0)
    tokens, mask = pad_rows(ROWS)
    for loss in losses:
        expected = next_token_loss(theirs(tokens), tokens, mask)
        optimizer.zero_grad()
        expected.backward()
        nn.utils.clip_grad_norm_(theirs.parameters(), 1.0)
        optimizer.step()
        assert loss == pytest.approx(expected.item(), abs=1e-5)
    same(ours, theirs, atol=1e-5, rtol=0)


def test_accumulated_batches_weigh_every_token_the_same():
    whole, parts = make_model(), make_model()
    large = train(whole, steps=3)
    small = train(
        parts,
        batches=itertools.cycle([pad_rows(ROWS[:1]), pad_rows(ROWS[1:2]), pad_rows(ROWS[2:])]),
        accumulate=3,
        steps=3,
    )
    assert small == pytest.approx(large, abs=1e-5)
    # Adam divides by the gradient's size, so even rounding shows where gradients are tiny.
    same(whole, parts, atol=1e-3, rtol=0)


def test_same_seed_same_losses():
    assert train(make_model()) == train(make_model())


def test_schedule_scales_every_group_and_resuming_continues_it():
    model = make_model()
    optimizers = make_optimizers(model, learning_rate=0.5, muon_learning_rate=0.25)
    train(model, optimizers=optimizers, schedule=lambda step: 1 / (step + 1), steps=4)
    assert [group["lr"] for optimizer in optimizers for group in optimizer.param_groups] == [0.125, 0.125, 0.0625]
    steps = [step for step, _ in train_steps(
        model, itertools.repeat(pad_rows(ROWS)), loss_function=language_model_loss, optimizers=optimizers,
        schedule=lambda step: 1 / (step + 1), start=4, steps=5,
    )]  # fmt: skip
    assert steps == [5]
    assert optimizers[0].param_groups[0]["lr"] == pytest.approx(0.1)


def test_gradients_are_clipped():
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    before = torch.cat([parameter.detach().flatten() for parameter in model.parameters()]).clone()
    train(model, optimizers=[optimizer], clip=0.01, steps=1)
    after = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
    assert (after - before).norm().item() == pytest.approx(0.01, rel=1e-3)


def test_a_loss_that_is_not_finite_stops_before_the_update():
    model, before = make_model(), make_model()

    def broken(model, batch):
        loss, count = language_model_loss(model, batch)
        return loss / 0, count

    with pytest.raises(NonFiniteTraining, match="step 1 is inf") as caught:
        train(model, loss_function=broken)
    assert caught.value.step == 1
    same(model, before, atol=0, rtol=0)


def test_a_gradient_that_is_not_finite_stops_before_the_update_though_the_loss_is_finite():
    model, before = make_model(), make_model()

    def broken(model, batch):
        loss, count = language_model_loss(model, batch)
        return loss + (0 * loss).sqrt(), count  # 0, with a slope of 0 / 0

    for clip in (1.0, None):
        with pytest.raises(NonFiniteTraining, match="norm of the gradient of step 1 is nan"):
            train(model, loss_function=broken, clip=clip)
        same(model, before, atol=0, rtol=0)


def test_a_batch_without_targets_is_refused():
    model, (tokens, mask) = make_model(), pad_rows(ROWS)
    with pytest.raises(ValueError, match="a batch of step 1 has no targets"):
        train(model, batches=itertools.repeat((tokens, torch.zeros_like(mask))))


def test_a_rate_that_is_changed_between_two_calls_is_the_new_peak():
    model = make_model()
    optimizers = make_optimizers(model, learning_rate=0.5)
    train(model, optimizers=optimizers, schedule=lambda _: 0.5, steps=2)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = 0.1
    train(model, optimizers=optimizers, schedule=lambda _: 0.5, steps=1)
    assert optimizers[0].param_groups[0]["lr"] == pytest.approx(0.05)


def test_training_lowers_the_loss_in_bfloat16_as_well():
    losses = train(make_model(), steps=30, precision="bfloat16")
    assert losses[-1] < 0.7 * losses[0]
