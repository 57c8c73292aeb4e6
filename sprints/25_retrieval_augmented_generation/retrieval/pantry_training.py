"""Training on pantries: new questions in every batch, about passages of other pantries than the one that tests."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from retrieval.bi_encoder import BiEncoder, encode
from retrieval.contrast import hard_negatives, in_batch_loss
from retrieval.cross_encoder import Reranker, list_loss
from retrieval.pantry import Pantry, Question
from retrieval.pantry_grammar import TABLES, words_of
from retrieval.token_rows import WordTokens
from shared.nn.bert import Bert, BertConfig
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

TRAINED_ON, VALIDATED_ON, TESTED_ON = range(1000, 1008), 2000, 3000  # seeds of pantries
FACTS = 1000


def pantry_tokens() -> WordTokens:
    """Return a token for each word that a pantry may use, the synonyms too."""
    lists = [" ".join([word, *others]) for table in TABLES for word, others in words_of(table).items()]
    pantry, generator = Pantry(0, FACTS), torch.Generator().manual_seed(0)
    return WordTokens([*lists, *pantry.passages, *(pantry.ask(generator, 0.0).text for _ in range(500))])


def small_bert(tokens: WordTokens, generator: torch.Generator, d_model: int = 64, layers: int = 2) -> Bert:
    """Return an encoder for the short texts of a pantry."""
    config = BertConfig(tokens.vocab_size, tokens.context, layers, 4, d_model, 2 * d_model)
    return Bert(config, generator)


@dataclass(frozen=True)
class Asked:
    """Questions of one pantry, and the passage each is about; `wrong` are further passages that compete."""

    pantry: Pantry
    questions: list[Question]
    right: Int[Tensor, " questions"]
    wrong: Int[Tensor, " others"]

    @property
    def numbers(self) -> Int[Tensor, " passages"]:
        """Return the numbers of the passages: the right ones, and behind them the others."""
        return torch.cat([self.right, self.wrong])


Mining = Callable[[Pantry, Sequence[Question]], Int[Tensor, "questions others"]]


def ask_batches(
    pantries: Sequence[Pantry],
    size: int,
    generator: torch.Generator,
    mine: Mining | None = None,
    synonyms: float | None = None,
) -> Iterator[Asked]:
    """Yield batches of new questions without end, each of one pantry.

    Args:
        pantries: take turns.
        size: questions in a batch.
        generator: draws passages by how popular they are, and questions.
        mine: names hard negatives for questions (default: there are none).
        synonyms: the synonym rate (default: another one for each question, uniform from 0 to 1).
    """
    while True:
        for pantry in pantries:
            rates = torch.rand(size, generator=generator) if synonyms is None else torch.full((size,), synonyms)
            questions = [pantry.ask(generator, rate) for rate in rates.tolist()]
            right = torch.tensor([question.fact for question in questions])
            wrong = torch.empty(0, dtype=torch.long) if mine is None else mine(pantry, questions).flatten()
            yield Asked(pantry, questions, right, wrong)


def train_bi_encoder(
    model: BiEncoder,
    tokens: WordTokens,
    batches: Iterator[Asked],
    *,
    steps: int,
    rate: float = 2e-3,
    scale: float = 20.0,
    masked: bool = True,
    shares: bool = False,
) -> Iterator[tuple[int, float]]:
    """Train, and yield after each step the steps done and the loss on its batch before the update.

    Args:
        model: queries and passages are read by the same one.
        tokens: makes rows of texts.
        batches: questions and passages.
        steps: of AdamW, whose rate warms up and then falls linearly to zero.
        rate: its highest rate.
        scale: the inverse temperature.
        masked: leave copies of the right passage out.
        shares: take log prior off the logits while training, so that the prior is learnt.
    """

    def loss_of(model: BiEncoder, batch: Asked) -> tuple[Tensor, int]:
        questions = tokens.rows([question.text for question in batch.questions])
        passages = tokens.rows([batch.pantry.passages[number] for number in batch.numbers.tolist()])
        loss = in_batch_loss(
            model(questions.tokens, questions.mask), model(passages.tokens, passages.mask), scale,
            batch.numbers if masked else None, log_prior(batch.pantry)[batch.numbers] if shares else None,
        )  # fmt: skip
        return loss * len(batch.questions), len(batch.questions)

    schedule = partial(warmup_linear, steps=steps, warmup=min(100, steps // 4))
    optimizers = make_optimizers(model, learning_rate=rate, weight_decay=0.01)
    yield from train_steps(model, batches, loss_function=loss_of, optimizers=optimizers, steps=steps, schedule=schedule)


def train_reranker(
    model: Reranker,
    tokens: WordTokens,
    batches: Iterator[Asked],
    *,
    candidates: int,
    steps: int,
    rate: float = 1e-3,
) -> Iterator[tuple[int, float]]:
    """Train on lists of candidates; what is added to the scores while training is the passages' log prior.

    Args:
        model: a cross-encoder, or late interaction.
        tokens: makes rows of texts.
        batches: with `candidates` passages for each question in `wrong`; a question whose right one is not among them
            gets it in the place of the last.
        candidates: how many for each question.
        steps: of AdamW, whose rate warms up and then falls linearly to zero.
        rate: its highest rate.
    """

    def loss_of(model: Reranker, batch: Asked) -> tuple[Tensor, int]:
        lists, right = candidate_lists(batch, candidates)
        questions = [question.text for question in batch.questions for _ in range(candidates)]
        passages = [batch.pantry.passages[number] for number in lists.flatten().tolist()]
        scores = model.score_texts(tokens, questions, passages).unflatten(0, lists.shape)
        return list_loss(scores, right, log_prior(batch.pantry)[lists]) * len(lists), len(lists)

    schedule = partial(warmup_linear, steps=steps, warmup=min(100, steps // 4))
    optimizers = make_optimizers(model, learning_rate=rate, weight_decay=0.01)
    yield from train_steps(model, batches, loss_function=loss_of, optimizers=optimizers, steps=steps, schedule=schedule)


def candidate_lists(
    batch: Asked, candidates: int
) -> tuple[Int[Tensor, "questions candidates"], Int[Tensor, " questions"]]:
    """Return each question's list, and the place of the right one in it: where it is missing, it replaces the last."""
    lists = batch.wrong.unflatten(0, (-1, candidates)).clone()
    missing = ~(lists == batch.right[:, None]).any(dim=1)
    lists[missing, -1] = batch.right[missing]
    return lists, (lists == batch.right[:, None]).long().argmax(dim=1)


def log_prior(pantry: Pantry) -> Float[Tensor, " passages"]:
    """Return the log probability that a question is about each passage."""
    return torch.from_numpy(np.log(pantry.prior)).float()


def by_own_scores(model: BiEncoder, tokens: WordTokens, count: int, with_right: bool = False) -> Mining:
    """Return what mines the highest passages of a bi-encoder as it is now; each pantry's are encoded once."""
    vectors: dict[int, Float[Tensor, "passages features"]] = {}

    def mine(pantry: Pantry, questions: Sequence[Question]) -> Int[Tensor, "questions others"]:
        if id(pantry) not in vectors:
            vectors[id(pantry)] = encode(model, tokens, pantry.passages, batch=250)
        asked = encode(model, tokens, [question.text for question in questions])
        scores = asked @ vectors[id(pantry)].mT
        if with_right:
            return scores.topk(count, dim=1).indices
        return hard_negatives(scores, torch.tensor([question.fact for question in questions]), count)

    return mine
