"""What holds for the whole sprint: buckets of our own, rows shared out and a loss of all train as one process does."""

from typing import Any

import pytest
import torch
from lesson_texts import by_name, importable

_importable = importable("24_distributed_training")


def trained(by_hand: bool) -> tuple[list[float], list[float]]:
    """Return losses and weights of a few steps on rows of unequal length, in buckets of our own or by PyTorch's DDP."""
    equal, own_ddp = by_name("parallel_study.equal"), by_name("parallel_study.own_ddp")
    from shared.nn.gpt import GPT, GPTConfig
    from shared.training.loop import train_steps
    from shared.training.parallel import RankBatches, loss_of_all, present, spread

    gpt = GPT(GPTConfig(96, 16, 2, 2, 16, dropout=0.0), torch.Generator().manual_seed(0)).double()
    model: Any = own_ddp.OwnDDP(gpt, most=20_000) if by_hand else spread(gpt, "ddp", torch.device("cpu"))
    rows = RankBatches(equal.UnequalRows(torch.Generator().manual_seed(1)), present())
    optimizers = [torch.optim.AdamW(gpt.parameters(), lr=3e-3)]
    loss = loss_of_all(equal.exact_loss, present())
    losses = [loss for _, loss in train_steps(model, rows, loss_function=loss, optimizers=optimizers, steps=4)]
    return losses, torch.cat([weight.detach().flatten() for weight in gpt.parameters()]).tolist()


def test_buckets_of_our_own_in_the_plain_loop_train_as_ddp_and_as_one_process(on_processes):
    expected, weights = trained(by_hand=False)
    for by_hand in (True, False):
        for losses, own in on_processes(2, trained, by_hand):
            assert losses == pytest.approx(expected, abs=1e-12)
            torch.testing.assert_close(torch.tensor(own), torch.tensor(weights), rtol=0, atol=1e-10)
