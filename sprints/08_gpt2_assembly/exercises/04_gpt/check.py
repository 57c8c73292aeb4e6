"""Checks of `gpt`: beside transformers' GPT-2 with the same weights, and the usual mistakes by name."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.utils import logging

from shared.lab.checking import expect
from shared.nn.pretrained import SHIPPED_FOLDER
from shared.text.tokenizers import Tokenizer


class Weights(dict[str, Tensor]):
    """Weights by name, of which an error shows the shapes."""

    def __repr__(self) -> str:
        some = [f"{name} {tuple(weight.shape)}" for name, weight in self.items() if ".h." not in name]
        blocks = {name.split(".")[2] for name in self if ".h." in name}
        return f"{', '.join(some)}, and {len(blocks)} blocks"


def make_model(layers: int, heads: int, seed: int) -> GPT2LMHeadModel:
    """Return a GPT-2 of eight features and random weights, norms and biases among them."""
    torch.manual_seed(seed)
    config = GPT2Config(
        vocab_size=11,
        n_positions=12,
        n_embd=8,
        n_layer=layers,
        n_head=heads,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(mean=1.0 if "ln_" in name and name.endswith("weight") else 0.0, std=0.5)
    return model


def mistakes(model: GPT2LMHeadModel, tokens: Tensor) -> dict[str, Tensor]:
    """Return what the usual mistakes return, each made by changing a copy of the model."""

    def changed(change: Callable[[Any], None]) -> Tensor:
        other = copy.deepcopy(model)
        change(other.transformer)
        return other(tokens, use_cache=False).logits

    def set_blocks(transformer: Any, blocks: list[nn.Module]) -> None:
        transformer.h = nn.ModuleList(blocks)

    def take_exact_gelu(transformer: Any) -> None:
        for block in transformer.h:
            block.mlp.act = nn.GELU()

    def leave_out_epsilon(transformer: Any) -> None:
        for part in transformer.modules():
            if isinstance(part, nn.LayerNorm):
                part.eps = 0.0

    logits = model(tokens, use_cache=False).logits
    embedding = model.transformer.wte.weight
    return {
        "The norm at the end, ln_f, is missing.": changed(lambda other: setattr(other, "ln_f", nn.Identity())),
        "The positions are missing.": changed(lambda other: other.wpe.weight.zero_()),
        "There are no blocks.": changed(lambda other: set_blocks(other, [])),
        "Only the first block is computed.": changed(lambda other: set_blocks(other, [other.h[0]])),
        "The last block is missing.": changed(lambda other: set_blocks(other, list(other.h)[:-1])),
        "Every block has the weights of the first one.": (
            changed(lambda other: set_blocks(other, [other.h[0]] * len(other.h)))
        ),
        "Every block has the weights of the last one.": (
            changed(lambda other: set_blocks(other, [other.h[-1]] * len(other.h)))
        ),
        "The blocks come in the wrong order: 0 is the first.": (
            changed(lambda other: set_blocks(other, list(other.h)[::-1]))
        ),
        "ln_f is computed after each block; it comes once, at the end.": (
            changed(lambda other: set_blocks(other, [Then(part, other.ln_f) for part in other.h]))
        ),
        "It uses GELU itself and not the approximation by tanh.": changed(take_exact_gelu),
        "Epsilon is missing in the norms.": changed(leave_out_epsilon),
        "These are probabilities. The model returns logits, before the softmax.": logits.softmax(-1),
        "These are logarithms of probabilities. The model returns logits, before the softmax.": logits.log_softmax(-1),
        "Only the last token has logits. Every token must have them.": logits[:, -1],
        "These are the vectors after ln_f: the head is missing.": model.transformer(tokens).last_hidden_state,
        "The head is taken to be the embedding; this model has a lm_head of its own.": (
            model.transformer(tokens).last_hidden_state @ embedding.mT
        ),
        "The head is multiplied with the embedding of the tokens instead of what the blocks made of it.": (
            model.transformer.wte(tokens) @ embedding.mT
        ),
    }


class Then(nn.Module):
    """A block and a norm after it."""

    def __init__(self, block: nn.Module, norm: nn.Module) -> None:
        super().__init__()
        self.block, self.norm = block, norm

    def forward(self, *arguments: Any, **named: Any) -> Any:
        return self.norm(self.block(*arguments, **named))


@torch.no_grad()
def compare(learner: Any, model: GPT2LMHeadModel, tokens: Tensor, tolerance: float = 5e-5) -> None:
    weights = Weights(model.state_dict())
    given = {"tokens": tokens, "weights": weights, "heads": model.config.n_head}
    expected = model(tokens, use_cache=False).logits
    expect(learner.gpt, given, expected, mistakes(model, tokens), tolerance)


def check_a_tiny_model(learner: Any) -> None:
    """Two blocks, one head, three tokens: the logits are those of transformers."""
    compare(learner, make_model(layers=2, heads=1, seed=0), torch.tensor([[3, 0, 7]]))


def check_a_batch_and_heads(learner: Any) -> None:
    """Three blocks, two heads, two texts of five tokens."""
    compare(learner, make_model(layers=3, heads=2, seed=1), torch.tensor([[3, 1, 4, 1, 5], [9, 2, 6, 5, 3]]))


def check_a_head_of_its_own(learner: Any) -> None:
    """A model whose head is not its embedding."""
    model = make_model(layers=1, heads=2, seed=2)
    model.lm_head.weight = nn.Parameter(torch.randn(11, 8))
    compare(learner, model, torch.tensor([[8, 2, 10, 2]]))


def check_the_trained_model(learner: Any) -> None:
    """The trained model of this course, on a line of a recipe."""
    logging.disable_progress_bar()
    model = GPT2LMHeadModel.from_pretrained(SHIPPED_FOLDER).eval()
    text = "Serves 4\n\nIngredients\n200 g cold unsalted butter"
    tokens = torch.tensor([Tokenizer.load(SHIPPED_FOLDER).encode(text)])
    # Its logits reach 32 and round to 1e-5; GELU itself instead of its approximation is 1e-3 away.
    compare(learner, model, tokens, tolerance=5e-4)
