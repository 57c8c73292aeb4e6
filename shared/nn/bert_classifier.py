"""One answer for a whole text, or for a pair of texts: BERT's pooler and a layer on it (Devlin et al. 2019, section 3).

It is what transformers calls BertForSequenceClassification and, with two classes, BertForNextSentencePrediction.
"""

from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from shared.nn.bert import Bert, BertConfig, draw_weights
from shared.nn.bert_weights import BERT_PARTS, as_ours, our_bert_fields

if TYPE_CHECKING:  # transformers takes seconds to import and only the conversion needs it
    from transformers import BertForNextSentencePrediction, BertForSequenceClassification


class SequenceClassifier(nn.Module):
    """Logits of classes, read from the first token.

    Args:
        config: size of the encoder.
        classes: at least 2.
        generator: draws the initial weights (default: PyTorch's global one).

    Raises:
        ValueError: fewer than two classes.
    """

    def __init__(self, config: BertConfig, classes: int = 2, generator: torch.Generator | None = None) -> None:
        super().__init__()
        if classes < 2:
            raise ValueError(f"a classifier decides between two classes at least; got {classes}")
        self.config = config
        self.bert = Bert(config, generator)
        self.pooler = nn.Linear(config.d_model, config.d_model)
        self.classifier = nn.Linear(config.d_model, classes)
        for part in (self.pooler, self.classifier):
            draw_weights(part, generator)

    def forward(
        self,
        tokens: Int[Tensor, "batch tokens"],
        mask: Bool[Tensor, "batch tokens"] | None = None,
        segments: Int[Tensor, "batch tokens"] | None = None,
    ) -> Float[Tensor, "batch classes"]:
        """Return the logits of each row; arguments as those of `Bert.forward`. The first token must be real."""
        first = self.bert(tokens, mask, segments)[:, 0]  # (batch, d_model)
        return self.classifier(self.bert.dropout(self.pooler(first).tanh()))

    @classmethod
    def from_transformers(
        cls, model: "BertForSequenceClassification | BertForNextSentencePrediction"
    ) -> "SequenceClassifier":
        """Return the same model, in evaluation mode; ValueError for another kind of model."""
        theirs = model.state_dict()
        name = "cls.seq_relationship" if "cls.seq_relationship.weight" in theirs else "classifier"
        classes = len(theirs[f"{name}.weight"]) if f"{name}.weight" in theirs else 2
        ours = cls(BertConfig(**our_bert_fields(model.config, "bert")), classes)
        ours.load_state_dict(as_ours(ours.state_dict(), theirs, BERT_PARTS | {"classifier": name}))
        return ours.eval()
