"""A reader that is trained: a GPT that reads passages and a question, and writes a citation and an answer.

    prompt:  [1] As of 2023, berries are sold ... [2] As of 2021, soups ... Question: With what are soups ...? Answer:
    writes:  [2] prawns      or      I do not know

It cites first: which passage it is, is found before what it says. Passages and questions are never scored: they are
drawn at random, and nothing can be learnt from guessing them.
"""

from collections.abc import Iterator, Sequence
from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from retrieval.reader_sheets import Sheet
from retrieval.reader_tokens import MOST_PASSAGES, ReaderTokens, Rows
from retrieval.readers import Said
from retrieval.reading import Example
from shared.nn.gpt import GPT
from shared.training.loop import train_steps
from shared.training.losses import token_losses
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_stable_decay


def answer_loss(model: GPT, batch: Rows) -> tuple[Float[Tensor, ""], int]:
    """Return the summed loss of the answers' tokens and their number, as `train_steps` wants them.

    Padding stands on the right, where a causal model does not look before it is past all answers.
    """
    logits = model(batch.tokens[:, :-1], positions=batch.positions[:, :-1])
    losses = token_losses(logits, batch.tokens, batch.answers)
    return losses.sum(), int(batch.answers[:, 1:].sum())


def train_reader(
    model: GPT,
    tokens: ReaderTokens,
    sheets: Iterator[list[Sheet]],
    *,
    steps: int,
    learning_rate: float,
    precision: str = "float32",
) -> Iterator[tuple[int, float]]:
    """Train, and yield after each step the steps done and the loss of its answers' tokens before the update.

    Names keep the vectors that they began with. So a new name is to the model what one of its training is: a vector
    drawn at random, which can be copied and not be learnt.

    Args:
        model: as many tokens as `tokens` has.
        tokens: makes rows of tasks.
        sheets: tasks that share passages, see `reader_sheets.py`.
        steps: of AdamW, whose rate warms up, stays, and falls in the last fifth of the steps.
        learning_rate: its largest.
        precision: of matrix products.
    """
    optimizers = make_optimizers(model, learning_rate=learning_rate, betas=(0.9, 0.98))
    hook = model.token_embedding.weight.register_hook(partial(_without_names, first=tokens.first_name))
    schedule = partial(warmup_stable_decay, steps=steps, warmup=min(100, max(1, steps // 10)))
    yield from train_steps(
        model, map(tokens.sheets, sheets), loss_function=answer_loss, optimizers=optimizers, steps=steps,
        schedule=schedule, precision=precision,
    )  # fmt: skip
    hook.remove()


def _without_names(gradient: Float[Tensor, "vocab d_model"], first: int) -> Float[Tensor, "vocab d_model"]:
    return gradient.index_fill(0, torch.arange(first, len(gradient)), 0.0)


class TrainedReader:
    """Answers tasks with a trained model.

    Args:
        model: a GPT with a token for each of `tokens`.
        tokens: those that it was trained with.
    """

    def __init__(self, model: GPT, tokens: ReaderTokens) -> None:
        if model.config.vocab_size != tokens.vocab_size:
            raise ValueError(
                f"the model must have one token for each word: it has {model.config.vocab_size}, and there are "
                f"{tokens.vocab_size} words; build it with ReaderTokens of the names that it was trained with"
            )
        self.model, self.tokens = model.eval(), tokens

    @torch.no_grad()
    def read(self, examples: Sequence[Example], may_abstain: bool = True, size: int = 50) -> list[Said]:
        """Return for each task its most probable citation with the word that follows it, or "I do not know".

        The belief is p(citation) · p(word | citation), of "I do not know" its own probability.

        Args:
            examples: tasks.
            may_abstain: with False it has to answer: "I do not know" is left out of the choice.
            size: tasks that are read at once.
        """
        said: list[Said] = []
        for start in range(0, len(examples), size):
            said += self._read(examples[start : start + size], may_abstain)
        return said

    def _read(self, examples: Sequence[Example], may_abstain: bool) -> list[Said]:
        rows, every = self.tokens.prompts(examples), torch.arange(len(examples))
        ends = rows.answers.long().argmax(dim=1)  # the place for a citation
        first = self._probabilities(rows, ends - 1)
        counts = torch.tensor([len(example.shown) for example in examples])
        chosen = first.where(self._allowed(counts, may_abstain), -1).argmax(dim=1)
        rows.tokens[every, ends] = chosen
        words = self._probabilities(rows, ends).max(dim=1)
        found = []
        for token, sure, word, sure_of_word in zip(
            chosen.tolist(), first[every, chosen].tolist(), words.indices.tolist(), words.values.tolist(), strict=True
        ):
            written = self.tokens.words[token]
            if token in self.tokens.places:
                found.append(Said(self.tokens.words[word], int(written.strip("[]")), sure * sure_of_word))
            else:
                found.append(Said(written, None, sure))
        return found

    def _allowed(self, counts: Int[Tensor, " rows"], may_abstain: bool) -> Bool[Tensor, "rows vocab"]:
        """Return which tokens may begin an answer: a citation of what is shown, or a word where nothing is shown."""
        allowed = (counts == 0)[:, None].repeat(1, self.tokens.vocab_size)
        allowed[:, self.tokens.places] = torch.arange(1, MOST_PASSAGES + 1) <= counts[:, None]
        allowed[:, self.tokens.unknown] = may_abstain
        return allowed

    def _probabilities(self, rows: Rows, at: Int[Tensor, " rows"]) -> Float[Tensor, "rows vocab"]:
        logits = self.model(rows.tokens, positions=rows.positions)[torch.arange(len(rows.tokens)), at]
        return logits.float().softmax(dim=1)
