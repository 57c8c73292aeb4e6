"""What if the data set shifts the labels, and the model shifts them again?

    uv run sprints/12_finetune_gpt2_generative/double_shift.py

The same loop trains twice, once with `labels=input_ids`, once with labels that are shifted already. transformers shifts
what it is given in both cases. Theory: notes/08_easy_to_get_wrong.md
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from tqdm import tqdm
from transformers import GPT2LMHeadModel

from book_finetuning.pretrained_gpt import load_gpt2
from book_finetuning.training_on_blocks import block_batches
from shared.checks.invariants import InvariantError
from shared.checks.sanity import check_reported_loss
from shared.generation.decoding import generate
from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import ExistingFile, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import autocast, pick_device, seed_everything
from shared.nn.gpt import GPT
from shared.nn.pretrained import SHIPPED, Logits
from shared.text.batches import Batch, TextDataset
from shared.text.books import SHIPPED_BOOK, Book, open_book
from shared.training.loop import NonFiniteTraining
from shared.training.losses import evaluate_loss, perplexity
from shared.training.optimizers import make_optimizers

Labels = Literal["right", "shifted twice"]
# What the wrong model says of the next token it was never asked for, so little keeps it where it is.
TOLERANCE = {"right.*": TRAINED, "shifted_twice.*": TRAINED, "shifted_twice.true": Tolerance(relative=0.3)}
IGNORED = -100  # what transformers leaves out of the loss


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (the shipped model), or a folder of a GPT-2 of its size
    book: ExistingFile = SHIPPED_BOOK  # a text in chapters
    steps: PositiveInt = 200  # optimizer steps
    batch_size: PositiveInt = 4  # blocks of a batch
    learning_rate: PositiveFloat = 2e-3  # of AdamW
    new_tokens: PositiveInt = 60  # tokens to write

    def check(self) -> None:
        if (
            self.model != SHIPPED
            and sum(weight.numel() for weight in load_gpt2(self.model)[0].parameters()) > 20_000_000
        ):
            raise ValueError(
                f"the rates here are for a model of two million parameters; {self.model} is a real one, and would lose "
                "all that it has learnt: finetune.py has rates by size, for GPT-2 and Llama"
            )


@dataclass(frozen=True)
class LabelsOutcome:
    """Perplexity of the validation chapters: as the training code reports it, and of the next token."""

    reported: float
    true: float
    text: str
    check: str


@dataclass(frozen=True)
class Results:
    before: float
    right: LabelsOutcome
    shifted_twice: LabelsOutcome


def library_loss(model: GPT2LMHeadModel, batch: Batch, labels: Labels) -> tuple[Tensor, int]:
    """Return the mean loss that transformers computes, and over how many tokens."""
    tokens = batch.tokens.to(model.device)
    given = tokens if batch.mask is None else tokens.masked_fill(~batch.mask.to(model.device), IGNORED)
    if labels == "shifted twice":
        tokens, given = tokens[:, :-1], given[:, 1:]  # the mistake: "predict the next token", done by hand
    return model(input_ids=tokens, labels=given).loss, int((given[:, 1:] != IGNORED).sum())


def train(config: Config, model: GPT2LMHeadModel, blocks: list[list[int]], labels: Labels) -> None:
    """Train in place."""
    batches = block_batches(lambda: blocks, config.batch_size, torch.Generator().manual_seed(config.seed))
    (optimizer,) = make_optimizers(model, learning_rate=config.learning_rate)
    model.train()
    for step in tqdm(range(config.steps), desc=labels, unit="step"):
        optimizer.zero_grad()
        with autocast(model.device):
            loss, _ = library_loss(model, next(batches), labels)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        if not norm.isfinite():
            raise NonFiniteTraining(step + 1, "norm of the gradient", norm.item())
        optimizer.step()


@torch.no_grad()
def judge(config: Config, model: GPT2LMHeadModel, tokenizer, book: Book, labels: Labels) -> LabelsOutcome:
    """Compare what the training code reports with the loss of the next token, and let the model write."""
    model.eval()
    blocks = TextDataset(book.validation.documents, model.config.n_positions - 1)
    means = [library_loss(model, batch, labels) for batch in blocks.batches(8)]
    reported = sum(loss.item() * count for loss, count in means) / sum(count for _, count in means)
    row = blocks[0][None].to(model.device)
    alone = library_loss(model, Batch(row, None), labels)[0].item()
    try:
        check_reported_loss(alone, Logits(model), row)
        check = "passes"
    except InvariantError as error:
        check = str(error)
    (ids,) = generate(
        GPT.from_transformers(model).to(model.device).eval(),
        [[tokenizer.eos_token_id]],
        max_new_tokens=config.new_tokens,
        end_token=tokenizer.eos_token_id,
        generator=torch.Generator(model.device).manual_seed(config.seed),
    )
    true, _ = evaluate_loss(Logits(model), blocks.batches(8))
    return LabelsOutcome(perplexity(reported), perplexity(true), str(tokenizer.decode(ids)), check)


def main(config: Config) -> Results:
    device = pick_device(config.device)
    outcomes, before = {}, 0.0
    for labels in ("right", "shifted twice"):
        seed_everything(config.seed)
        model, tokenizer = load_gpt2(config.model)
        model.to(device)
        book = open_book(config.book, tokenizer, context=model.config.n_positions)
        context = model.config.n_positions
        blocks = TextDataset(book.validation.documents, context - 1)
        before = perplexity(evaluate_loss(Logits(model), blocks.batches(8))[0])
        train(config, model, TextDataset(book.train.documents, context - 1).blocks, labels)
        outcomes[labels] = judge(config, model, tokenizer, book, labels)
        print(f"\n--- labels {labels}: perplexity reported {outcomes[labels].reported:.3f},", end=" ")
        print(f"of the next token {outcomes[labels].true:,.1f} (before {before:,.1f})")
        print(f"{outcomes[labels].text}\ncheck_reported_loss: {outcomes[labels].check}")
    return Results(before, outcomes["right"], outcomes["shifted twice"])


if __name__ == "__main__":
    run(main, Config, tolerance=TOLERANCE)
