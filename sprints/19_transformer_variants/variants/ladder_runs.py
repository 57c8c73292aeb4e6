"""How a rung of the ladder is trained and measured: the same recipes, steps and rates for all of them."""

import functools
import time
from collections.abc import Iterable

import torch
from tqdm import tqdm

from shared.lab.runtime import seed_everything
from shared.nn.decoder import Decoder, DecoderConfig
from shared.text.batches import Batch, DocumentBatches, pad_rows
from shared.text.corpora import CookbookCorpus
from shared.training.loop import train_steps
from shared.training.losses import evaluate_loss, language_model_loss
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

ADAMW_RATE, MUON_RATE = 3e-3, 0.02  # sprint 9's, which every rung may scale


def batches_of(corpus: CookbookCorpus, stream: str, recipes: int, context: int, batch_size: int = 32) -> list[Batch]:
    """Return the first recipes of a stream in batches.

    Raises:
        ValueError: a recipe is longer than the context: the optimum is that of whole ones.
    """
    starts = range(0, recipes, batch_size)
    batches = [pad_rows(corpus.documents(stream, start, min(batch_size, recipes - start))) for start in starts]
    if (longest := max(batch.tokens.shape[1] for batch in batches) - 1) > context:
        raise ValueError(
            f"a recipe must fit into the context of {context} tokens, one has {longest}: give a larger --context or "
            "--vocab-size"
        )
    return batches


def optimum(corpus: CookbookCorpus, stream: str, recipes: int) -> float:
    """Return the loss of the grammar itself on the first recipes of a stream, in nats per token."""
    targets = sum(len(document) - 1 for document in corpus.documents(stream, 0, recipes))
    return -sum(corpus.cookbook.recipe(stream, index).log_prob for index in range(recipes)) / targets


def train_rung(
    config: DecoderConfig, corpus: CookbookCorpus, factor: float, seed: int, steps: int, batch_size: int
) -> tuple[Decoder, float]:
    """Return a trained decoder and the seconds that its steps took.

    Args:
        config: of the decoder.
        corpus: its training recipes are read from a place that the seed chooses, the same for every rung.
        factor: of both learning rates.
        seed: also draws the first weights.
        steps: of Muon for the matrices of the blocks and AdamW for everything else.
        batch_size: recipes in a step.
    """
    model = Decoder(config, seed_everything(seed))
    batches = DocumentBatches(functools.partial(corpus.documents, "train"), batch_size, config.context + 1)
    batches.position = seed * steps * batch_size
    optimizers = make_optimizers(model, learning_rate=ADAMW_RATE * factor, muon_learning_rate=MUON_RATE * factor)
    schedule = functools.partial(warmup_linear, steps=steps, warmup=max(1, steps // 20))
    start = time.perf_counter()
    training = train_steps(
        model, batches, loss_function=language_model_loss, optimizers=optimizers, steps=steps, schedule=schedule
    )
    for _ in tqdm(training, total=steps, desc=f"seed {seed}, rates x {factor:g}"):
        pass
    return model.eval(), time.perf_counter() - start


def loss_of(model: Decoder, batches: Iterable[Batch]) -> float:
    """Return the mean loss in nats per token."""
    with torch.no_grad():
        return evaluate_loss(model, batches)[0]
