"""Two losses that raise an expected reward: REINFORCE, and minimum risk on a few targets.

Each is a loss as `train_steps` takes it. Targets are drawn from the model, and the draw has no gradient.
"""

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import pad

from seq2seq_study.exact_match import draw_targets
from seq2seq_study.likelihood import log_probability
from seq2seq_study.sequences import SequencePair, mask_of
from shared.nn.seq2seq import EncoderDecoder
from shared.text.batches import Batch


def reward(drawn: Batch, target: Batch) -> Tensor:
    """Return the share of places that are right in each row; a place that only one of the two has is wrong."""
    width = max(drawn.tokens.shape[1], target.tokens.shape[1])

    def answers(batch: Batch) -> tuple[Tensor, Tensor]:
        missing = (0, width - batch.tokens.shape[1])
        return pad(batch.tokens, missing)[:, 1:], pad(mask_of(batch), missing)[:, 1:]  # without the begin token

    (tokens, real), (true_tokens, true_real) = answers(drawn), answers(target)
    right = (tokens == true_tokens) & real & true_real
    return right.sum(dim=1) / (real | true_real).sum(dim=1)


class Reinforce:
    """Raise the log-probability of what was drawn by how much better it was than a baseline (Williams 1992).

    Args:
        baseline: "none"; "mean", the mean reward of the other rows of the batch; or "greedy", the reward of the greedy
            answer to the same source (self-critical: Rennie et al. 2017).
        generator: draws the targets.
    """

    def __init__(self, baseline: Literal["none", "mean", "greedy"], generator: torch.Generator) -> None:
        self.baseline, self.generator = baseline, generator

    def __call__(self, model: EncoderDecoder, pair: SequencePair) -> tuple[Tensor, int]:
        drawn = draw_targets(model, pair, self.generator)
        rewards = reward(drawn, pair.target)
        log_probs = log_probability(model, SequencePair(pair.source, drawn))
        return -(self.advantages(model, pair, rewards) * log_probs).sum(), len(rewards)

    def advantages(self, model: EncoderDecoder, pair: SequencePair, rewards: Tensor) -> Tensor:
        """Return the rewards less the baseline, which never depends on the row's own draw."""
        if self.baseline == "mean":
            return rewards - (rewards.sum() - rewards) / (len(rewards) - 1)
        if self.baseline == "greedy":
            return rewards - reward(draw_targets(model, pair, self.generator, temperature=0), pair.target)
        return rewards


class MinimumRisk:
    """Expected risk under the model's distribution on a few targets, renormalised (Shen et al. 2016, section 3.2).

    Args:
        samples: targets drawn for each source; the true one joins them, and equal ones count once.
        sharpness: exponent of the model's probabilities.
        generator: draws the targets.
    """

    def __init__(self, samples: int, sharpness: float, generator: torch.Generator) -> None:
        self.samples, self.sharpness, self.generator = samples, sharpness, generator

    def __call__(self, model: EncoderDecoder, pair: SequencePair) -> tuple[Tensor, int]:
        repeated, count = repeat(pair, self.samples), len(pair.source.tokens)
        candidates = join(draw_targets(model, repeated, self.generator), pair.target, self.samples)
        beside = repeat(pair, self.samples + 1)
        rewards = reward(candidates, beside.target).unflatten(0, (count, -1))
        tokens = candidates.tokens.unflatten(0, (count, -1))
        equal = (tokens[:, :, None] == tokens[:, None]).all(dim=-1)
        again = equal.tril(-1).any(dim=-1)
        log_probs = log_probability(model, SequencePair(beside.source, candidates)).unflatten(0, (count, -1))
        return minimum_risk(log_probs.masked_fill(again, -math.inf), rewards, self.sharpness).sum(), count


def minimum_risk(log_probs: Tensor, rewards: Tensor, sharpness: float) -> Tensor:
    """Return the expected risk (rows) of targets with these log-probabilities and rewards, both (rows, targets)."""
    return ((1 - rewards) * (sharpness * log_probs).softmax(dim=1)).sum(dim=1)


def repeat(pair: SequencePair, times: int) -> SequencePair:
    """Return a pair with each row so many times, one after another."""
    return pair.change(lambda part: part.repeat_interleave(times, 0))


def join(drawn: Batch, target: Batch, samples: int) -> Batch:
    """Return targets with `samples` rows of `drawn` and then the true row for each row of `target`."""
    missing = (0, target.tokens.shape[1] - drawn.tokens.shape[1])

    def behind(drawn: Tensor, true: Tensor) -> Tensor:
        grouped = pad(drawn, missing).unflatten(0, (len(true), samples))
        return torch.cat([grouped, true[:, None]], dim=1).flatten(0, 1)

    return Batch(behind(drawn.tokens, target.tokens), behind(mask_of(drawn), mask_of(target)))
