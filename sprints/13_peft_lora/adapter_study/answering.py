"""Chats about recipes to learn from and to be asked, the training on them, and how right the answers are.

Theory: notes/09_instruction_tuning.md
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import torch

from adapter_study.chat_turns import Chat, Scored, chat_batch, encode_chat, give_template, render
from adapter_study.model_defaults import rows_at_once
from adapter_study.recipe_questions import KINDS, asked_recipes, conversation
from shared.nn.pretrained import Logits, context_length
from shared.training.loop import train_steps
from shared.training.losses import language_model_loss, token_losses
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear
from shared.training.shuffling import shuffled_rows

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class AskedChat(NamedTuple):
    """One question about a recipe, as a chat with the right answer and as one with a wrong answer."""

    kind: str
    prompt: str
    right: Chat
    wrong: Chat


@dataclass(frozen=True)
class AnswerScores:
    """How a model answers: shares of questions, and losses of the right answers in nats per token.

    Args:
        exact: its most probable answer is the right one, token for token, and ends there.
        before_end: the same without the token that ends the turn.
        probability: of the right answer, which ends: so many of its sampled answers are right on average.
        prefers: the right answer is more probable than the wrong one.
        loss: of the right answers.
        loss_before_end: the same without the token that ends the turn.
        by_kind: `exact` for each kind of question.
    """

    exact: float
    before_end: float
    probability: float
    prefers: float
    loss: float
    loss_before_end: float
    by_kind: dict[str, float]


def training_chats(
    tokenizer: "PreTrainedTokenizerBase", model: "PreTrainedModel", start: int, count: int, questions: int
) -> list[Chat]:
    """Return chats about recipes number `start` and following of training; those too long for the model are left out.

    Raises:
        ValueError: all of them are too long.
    """
    give_template(tokenizer)
    chats = [encode_chat(tokenizer, conversation(asked)) for asked in asked_recipes("train", start, count, questions)]
    fitting = [chat for chat in chats if len(chat.tokens) <= context_length(model)]
    if not fitting:
        raise ValueError(
            f"a model that reads {context_length(model)} tokens cannot read a recipe with {questions} questions: ask "
            "fewer, or take a model that reads more"
        )
    return fitting


def asked_chats(
    tokenizer: "PreTrainedTokenizerBase", model: "PreTrainedModel", stream: str, start: int, count: int
) -> list[AskedChat]:
    """Return a question for each of so many recipes of a stream; those too long for the model are left out."""
    give_template(tokenizer)
    chats = []
    for asked in asked_recipes(stream, start, count, questions=1):
        (question,), messages = asked.questions, conversation(asked)
        right = encode_chat(tokenizer, messages)
        wrong = encode_chat(tokenizer, conversation(asked, [question.wrong]))
        if max(len(right.tokens), len(wrong.tokens)) <= context_length(model):
            chats.append(AskedChat(question.kind, render(tokenizer, messages[:1]), right, wrong))
    return chats


def tune_on_chats(
    model: "PreTrainedModel",
    chats: Sequence[Chat],
    scored: Scored,
    *,
    steps: int,
    batch_size: int,
    learning_rate: float,
    generator: torch.Generator,
    precision: str = "auto",
) -> Iterator[tuple[int, float]]:
    """Train what is trainable on the scored tokens of chats; yield as `train_steps` does."""
    batches = (
        chat_batch([chats[number] for number in numbers.tolist()], scored)
        for numbers in shuffled_rows(len(chats), batch_size, generator)
    )
    return train_steps(
        Logits(model),
        batches,
        loss_function=language_model_loss,
        optimizers=make_optimizers(model, learning_rate=learning_rate),
        steps=steps,
        schedule=partial(warmup_linear, steps=steps, warmup=max(1, steps // 10)),
        precision=precision,
    )


@torch.no_grad()
def score_answers(model: "PreTrainedModel", asked: Sequence[AskedChat]) -> AnswerScores:
    """Return how a model answers questions.

    Greedy decoding is not needed: its answer is the right one exactly if, after each right token, the next right token
    is the most probable.
    """
    model.eval()
    exact, before_end, probabilities, prefers = [], [], [], []
    total, inner_total, count = 0.0, 0.0, 0
    rows = rows_at_once(model, max(len(each.right.tokens) for each in asked))
    for first in range(0, len(asked), rows):
        part = asked[first : first + rows]
        right_chats = [each.right for each in part]
        tokens, mask = chat_batch(right_chats, device=model.device)
        _, inner = chat_batch(right_chats, "answers without end", model.device)
        logits = Logits(model)(tokens)
        losses = token_losses(logits, tokens, mask)  # (rows, targets)
        hit = logits[:, :-1].argmax(dim=-1) == tokens[:, 1:]
        exact += (hit | ~mask[:, 1:]).all(dim=1).tolist()
        before_end += (hit | ~inner[:, 1:]).all(dim=1).tolist()
        right = -losses.sum(dim=1)
        probabilities += right.exp().tolist()
        prefers += (right > answer_log_probs(model, [each.wrong for each in part])).tolist()
        total, count = total + losses.sum().item(), count + int(mask.sum())
        inner_total += losses[inner[:, 1:]].sum().item()
    kinds = [each.kind for each in asked]
    by_kind = {kind: [hit for hit, other in zip(exact, kinds, strict=True) if other == kind] for kind in KINDS}
    return AnswerScores(
        exact=statistics.mean(exact),
        before_end=statistics.mean(before_end),
        probability=statistics.mean(probabilities),
        prefers=statistics.mean(prefers),
        loss=total / count,
        loss_before_end=inner_total / (count - len(asked)),
        by_kind={kind: statistics.mean(hits) for kind, hits in by_kind.items() if hits},
    )


def answer_log_probs(model: "PreTrainedModel", chats: Sequence[Chat]) -> torch.Tensor:
    """Return the log-probability of all answers of each chat, given what stands before them, (chats)."""
    tokens, mask = chat_batch(chats, device=model.device)
    return -token_losses(Logits(model)(tokens), tokens, mask).sum(dim=1)


@torch.no_grad()
def write_answer(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", prompt: str, most_tokens: int = 40
) -> str:
    """Return what a model answers by greedy decoding, control tokens included, as long as it fits."""
    model.eval()
    tokens = tokenizer(prompt, add_special_tokens=False, return_tensors="pt")["input_ids"].to(model.device)
    room = min(most_tokens, context_length(model) - tokens.shape[1])
    written = model.generate(  # ty: ignore[not-callable]
        tokens,
        attention_mask=torch.ones_like(tokens),
        do_sample=False,
        max_new_tokens=max(1, room),
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return str(tokenizer.decode(written[0, tokens.shape[1] :]))
