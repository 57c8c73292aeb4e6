"""Are our MiniLM and our loss those of sentence-transformers? And what does bfloat16 change?

    uv run --group models sprints/25_retrieval_augmented_generation/minilm_twin.py

Passages and questions of a pantry, read by both. Needs the groups models and reference.
Theory: notes/05_training_a_retriever.md
"""

from dataclasses import dataclass
from importlib.util import find_spec

import torch

from retrieval.bi_encoder import encode, minilm
from retrieval.contrast import in_batch_loss
from retrieval.pantry import Pantry
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    pairs: AtLeastTwo = 64  # questions, each with its passage

    def check(self) -> None:
        if find_spec("sentence_transformers") is None:
            raise ValueError("this compares with sentence-transformers: uv sync --group models --group reference")


@dataclass(frozen=True)
class Results:
    """Largest differences between the two, and what bfloat16 does to cosines and to what stands first."""

    largest_difference: float  # of a number of a vector
    loss: float
    loss_difference: float
    bfloat16_cosine: float  # largest difference of a cosine
    bfloat16_first: float  # share of questions whose best passage of these is the same


def main(config: Config) -> Results:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import losses
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    from shared.nn.packaged_models import packaged_folder

    pantry, generator = Pantry(config.seed, 500), torch.Generator().manual_seed(config.seed)
    asked = [pantry.ask(generator, 0.5) for _ in range(config.pairs)]
    questions, passages = [one.text for one in asked], [pantry.passages[one.fact] for one in asked]
    reader = Transformer(str(packaged_folder("minilm")), max_seq_length=256)
    library = SentenceTransformer(modules=[reader, Pooling(384, "mean")], device="cpu")
    model, tokens = minilm()
    ours = [encode(model, tokens, texts) for texts in (questions, passages)]
    theirs = [torch.from_numpy(library.encode(texts, normalize_embeddings=True)) for texts in (questions, passages)]
    largest = max((one - other).abs().max().item() for one, other in zip(ours, theirs, strict=True))
    loss = in_batch_loss(*ours, scale=20.0).item()
    twin = losses.MultipleNegativesRankingLoss(library, scale=20.0)
    difference = abs(twin.compute_loss_from_embeddings(theirs, torch.empty(0)).item() - loss)
    print(f"largest difference of a vector {largest:.1e}; loss {loss:.4f}, difference {difference:.1e}")
    coarse = [encode(model, tokens, texts, precision="bfloat16") for texts in (questions, passages)]
    exact, rounded = (asked @ found.mT for asked, found in (ours, coarse))
    cosine = (exact - rounded).abs().max().item()
    first = (exact.argmax(dim=1) == rounded.argmax(dim=1)).float().mean().item()
    print(f"bfloat16: cosines differ by up to {cosine:.4f}; {first:.1%} of the questions have the same passage first")
    return Results(largest, loss, difference, cosine, first)


if __name__ == "__main__":
    tiny = Tolerance(absolute=2e-5)  # rounding, which is not the same on another processor
    run(main, Config, tolerance={"*difference": tiny, "bfloat16*": Tolerance(absolute=0.05)})
