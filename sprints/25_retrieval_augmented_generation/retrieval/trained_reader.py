"""A reader that is trained: a GPT that reads passages and a question, and writes a citation and an answer.

    prompt:  [1] As of 2023, berries are sold ... [2] As of 2021, soups ... Question: With what are soups ...? Answer:
    writes:  [2] prawns      or      I do not know

It cites first: which passage it is, is found before what it says. Every word is one token, every citation too, and so
is "I do not know". The loss is that of the answers alone: passages and questions are drawn at random, and nothing can
be learnt from guessing them.
"""

import re
from collections.abc import Iterator, Sequence
from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from retrieval.pantry_grammar import KINDS, TABLES, YEARS, words_of
from retrieval.readers import Said
from retrieval.reading import UNKNOWN, Example
from shared.nn.gpt import GPT
from shared.training.loop import train_steps
from shared.training.losses import token_losses
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

WORD = re.compile(r"\w+|[^\w\s]")
PIECE = re.compile(r"\[\d+\]|(?:question|answer):|i do not know|\w+|[^\w\s]")
MOST_PASSAGES = 8
PADDING, BEGIN, OTHER = "<padding>", "<begin>", "<other>"


class ReaderTokens:
    """One token for each word that a pantry and its questions may use, each citation, and each name.

    Args:
        names: further words.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        fixed = " ".join(part for form in KINDS for part in (*form.said, *form.asked)).replace("{}", "")
        words = {word for table in TABLES for meaning, others in words_of(table).items() for word in (meaning, *others)}
        words |= {*WORD.findall(fixed), *map(str, YEARS), *WORD.findall("as of are is something likes the , . ?")}
        places = [f"[{place}]" for place in range(1, MOST_PASSAGES + 1)]
        special = [PADDING, BEGIN, OTHER, "question:", "answer:", UNKNOWN, *places]
        self.words = [*special, *sorted(words), *names]
        self.ids = {word.lower(): number for number, word in enumerate(self.words)}
        self.unknown = self.ids[UNKNOWN.lower()]

    @property
    def vocab_size(self) -> int:
        """Return the number of tokens."""
        return len(self.words)

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text, whatever its case; a word that is none of ours is "other"."""
        other = self.ids[OTHER]
        return [self.ids.get(word, other) for word in PIECE.findall(text.lower())]

    def prompt(self, example: Example) -> list[int]:
        """Return a task, up to where its answer begins."""
        return [self.ids[BEGIN], *self.encode(example.prompt)]

    def target(self, example: Example) -> list[int]:
        """Return what should be written: a citation and a word, or "I do not know"; without passages, a word."""
        return self.encode(example.answer if example.place is None else f"[{example.place}] {example.answer}")

    def batch(
        self, sheets: Sequence[Sequence[Example]]
    ) -> tuple[Int[Tensor, "rows tokens"], Bool[Tensor, "rows tokens"]]:
        """Return a row for each sheet, and which of its tokens are answers; behind its end a row is padded.

        A sheet's tasks show the same passages, so these stand there once, and questions with their answers behind them.
        """
        rows, answers = [], []
        for sheet in sheets:
            ids, answer = self.prompt(sheet[0]), []
            for number, task in enumerate(sheet):
                ids = ids if number == 0 else ids + self.encode(f"Question: {task.question.text} Answer:")
                answer += [False] * (len(ids) - len(answer))
                ids = ids + self.target(task)
                answer += [True] * (len(ids) - len(answer))
            rows.append(torch.tensor(ids))
            answers.append(torch.tensor(answer))
        return pad_sequence(rows, batch_first=True), pad_sequence(answers, batch_first=True)


def answer_loss(model: GPT, batch: tuple[Tensor, Tensor]) -> tuple[Float[Tensor, ""], int]:
    """Return the summed loss of the answers' tokens and their number, as `train_steps` wants them.

    Padding stands on the right, where a causal model does not look before it is past all answers.
    """
    tokens, answers = batch
    losses = token_losses(model(tokens[:, :-1]), tokens, answers)
    return losses.sum(), int(answers[:, 1:].sum())


def train_reader(
    model: GPT,
    tokens: ReaderTokens,
    sheets: Iterator[list[list[Example]]],
    *,
    steps: int,
    learning_rate: float,
    muon_learning_rate: float,
    precision: str = "auto",
) -> Iterator[tuple[int, float]]:
    """Train, and yield after each step the steps done and the loss of its answers' tokens before the update.

    Args:
        model: as many tokens as `tokens` has.
        tokens: makes rows of tasks.
        sheets: tasks that share passages, see `reader_tasks.py`.
        steps: of AdamW and Muon, whose rates warm up and then fall linearly to zero.
        learning_rate: of AdamW, for embeddings, biases and gains.
        muon_learning_rate: of Muon, for the matrices of the blocks.
        precision: of matrix products.
    """
    optimizers = make_optimizers(model, learning_rate=learning_rate, muon_learning_rate=muon_learning_rate)
    schedule = partial(warmup_linear, steps=steps, warmup=min(100, steps // 10))
    yield from train_steps(
        model, map(tokens.batch, sheets), loss_function=answer_loss, optimizers=optimizers, steps=steps,
        schedule=schedule, precision=precision,
    )  # fmt: skip


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
        self.places = [tokens.ids[f"[{place}]"] for place in range(1, MOST_PASSAGES + 1)]

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
        prompts = [torch.tensor(self.tokens.prompt(example)) for example in examples]
        ends = torch.tensor([len(prompt) for prompt in prompts])
        every = torch.arange(len(prompts))
        rows = pad_sequence([torch.cat([prompt, prompt.new_zeros(1)]) for prompt in prompts], batch_first=True)
        first = self._probabilities(rows, ends - 1)
        counts = torch.tensor([len(example.shown) for example in examples])
        chosen = first.where(self._allowed(counts, may_abstain), -1).argmax(dim=1)
        rows[every, ends] = chosen  # over the padding behind each prompt
        words = self._probabilities(rows, ends).max(dim=1)
        found = []
        for token, sure, word, sure_of_word in zip(
            chosen.tolist(), first[every, chosen].tolist(), words.indices.tolist(), words.values.tolist(), strict=True
        ):
            written = self.tokens.words[token]
            if token in self.places:
                found.append(Said(self.tokens.words[word], int(written.strip("[]")), sure * sure_of_word))
            else:
                found.append(Said(written, None, sure))
        return found

    def _allowed(self, counts: Int[Tensor, " rows"], may_abstain: bool) -> Bool[Tensor, "rows vocab"]:
        """Return which tokens may begin an answer: a citation of what is shown, or a word where nothing is shown."""
        allowed = (counts == 0)[:, None].repeat(1, self.tokens.vocab_size)
        allowed[:, self.places] = torch.arange(1, MOST_PASSAGES + 1) <= counts[:, None]
        allowed[:, self.tokens.unknown] = may_abstain
        return allowed

    def _probabilities(self, rows: Int[Tensor, "rows tokens"], at: Int[Tensor, " rows"]) -> Float[Tensor, "rows vocab"]:
        return self.model(rows)[torch.arange(len(rows)), at].float().softmax(dim=1)
