"""BERT and GPT of the same size, for texts of a small grammar with a start token before them."""

from typing import Literal, get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from shared.nn.bert import Bert, BertConfig, MaskedLanguageModel
from shared.nn.gpt import GPT, GPTConfig

Kind = Literal["BERT", "GPT"]
KINDS: tuple[Kind, ...] = get_args(Kind)


def with_start(rows: Int[Tensor, "batch places"], words: int) -> Int[Tensor, "batch tokens"]:
    """Return texts behind a start token, the one after all words; the one after that is the mask token."""
    return torch.cat([torch.full((len(rows), 1), words), rows], dim=1)


def language_model(
    kind: Kind, words: int, places: int, sizes: tuple[int, int, int], seed: int
) -> MaskedLanguageModel | GPT:
    """Return a BERT that fills holes, or a GPT that goes on with texts.

    Args:
        kind: which.
        words: distinct words; two tokens come after them, start and mask.
        places: words of a text.
        sizes: layers, heads, d_model.
        seed: of the initial weights.
    """
    generator = torch.Generator().manual_seed(seed)
    if kind == "BERT":
        return MaskedLanguageModel(BertConfig(words + 2, places + 1, *sizes, segments=1), generator)
    return GPT(GPTConfig(words + 2, places + 1, *sizes, dropout=0.0), generator)


class Labeller(nn.Module):
    """A BERT or a GPT that gives each token a logit, by a linear layer.

    Args:
        kind, words, sizes, seed: as those of `language_model`.
        context: tokens that it can look at, the start token among them.
    """

    def __init__(self, kind: Kind, words: int, context: int, sizes: tuple[int, int, int], seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.kind, self.context = kind, context
        score = nn.Linear(sizes[2], 1)
        nn.init.normal_(score.weight, std=0.02, generator=generator)
        nn.init.zeros_(score.bias)
        if kind == "BERT":
            bert = Bert(BertConfig(words + 2, context, *sizes, segments=1), generator)
            self.body = nn.Sequential(bert, score)
        else:
            self.body = GPT(GPTConfig(words + 2, context, *sizes, dropout=0.0, tie_weights=False), generator)
            self.body.head = score

    def forward(self, tokens: Int[Tensor, "batch tokens"]) -> Float[Tensor, "batch tokens"]:
        """Return a logit for each token."""
        return self.body(tokens).squeeze(-1)

    def of_text(self, tokens: Int[Tensor, "batch tokens"]) -> Float[Tensor, " batch"]:
        """Return a logit for the text: BERT's at the start token, which sees all, and GPT's at the last one."""
        return self(tokens)[:, 0 if self.kind == "BERT" else -1]
