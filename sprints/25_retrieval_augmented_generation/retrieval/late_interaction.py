"""Late interaction (Khattab & Zaharia 2020, ColBERT): a vector for each token, and each word looks for its best match.

Between the two: the vectors of a passage's tokens can be made before any question comes, as a bi-encoder's, and each
word of a question meets each word of a passage, as in a cross-encoder.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from retrieval.cross_encoder import Reranker
from retrieval.token_rows import Rows, Tokens
from shared.nn.bert import Bert


class LateInteraction(Reranker):
    """A BERT whose token vectors have length 1, and a scale.

    Args:
        bert: reads questions and passages, apart.
        scale: what cosines are multiplied by at the start.
    """

    def __init__(self, bert: Bert, scale: float = 5.0) -> None:
        super().__init__()
        self.bert = bert
        self.log_scale = nn.Parameter(torch.tensor(scale).log())

    def forward(self, questions: Rows, passages: Rows) -> Float[Tensor, " pairs"]:
        """Return the score of each question with the passage in the same place."""
        asked, found = (
            functional.normalize(self.bert(rows.tokens, rows.mask), dim=-1) for rows in (questions, passages)
        )
        return self.log_scale.exp() * best_matches(asked, questions.mask, found, passages.mask)

    def score_texts(self, tokens: Tokens, queries: Sequence[str], documents: Sequence[str]) -> Float[Tensor, " pairs"]:
        """Return the score of each query with the document in the same place."""
        both = (tokens.rows(texts) for texts in (queries, documents))
        return self(*(Rows(*(part.to(self.log_scale.device) for part in rows)) for rows in both))


def best_matches(
    questions: Float[Tensor, "texts tokens features"],
    asked: Bool[Tensor, "texts tokens"],
    passages: Float[Tensor, "texts others features"],
    there: Bool[Tensor, "texts others"],
) -> Float[Tensor, " texts"]:
    r"""Return $\sum_i \max_j q_i \cdot d_j$: over a question's tokens, the cosine with the most similar one.

    Args:
        questions: unit vectors.
        asked: True where a question's token is real.
        passages: unit vectors of the passages in the same places.
        there: True where a passage's token is real.
    """
    cosines = questions @ passages.mT  # (texts, tokens, others)
    best = cosines.masked_fill(~there[:, None], -1.0).amax(dim=2)
    return (best * asked).sum(dim=1)
