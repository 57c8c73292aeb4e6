"""Do words that are used alike get vectors alike? Skip-gram with negative sampling (Mikolov et al. 2013) on recipes.

    uv run sprints/05_embeddings_and_positional_encoding/skip_gram.py
    uv run sprints/05_embeddings_and_positional_encoding/skip_gram.py --preset wide

The model sees text alone. Its judge knows the role of each ingredient in the grammar: are the nearest neighbours of a
vegetable vegetables? Random vectors, and PPMI with an SVD on the same pairs, stand beside. Each run reads other
recipes; the vectors of the last one are saved with the results. Theory: notes/04_what_the_vectors_know.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import logsigmoid
from tqdm import tqdm

from embedding_study.ppmi import ppmi_svd
from embedding_study.recipe_words import Text, ingredient_roles, read_recipes
from embedding_study.role_purity import agreement, nearest, purity, purity_without_styles
from embedding_study.word_pairs import draw_pairs, keep_probabilities, noise_batches
from shared.lab.compare import ROUNDING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Fraction, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.text.cookbook import Cookbook
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers

# Far enough to reach from an ingredient to the title
PRESETS = {"wide": {"recipes": 8000, "window": 15, "subsample": 1e-4, "features": 64, "runs": 2}}
EXAMPLES = ("butter", "beef", "penne", "smoked_paprika", "fridge", "winter")
# What is counted is exact; which neighbour is the nearest, and each number of a vector, differs with the last digit.
TOLERANCE = {
    "losses.*": Tolerance(relative=0.005),
    "purity.*": Tolerance(absolute=0.03),
    "purity.random.*": ROUNDING,
    "runs_agree": Tolerance(absolute=0.05),
    "nearest.*": Tolerance(compared=False),
    "vectors.*": Tolerance(compared=False),
}
Window = Annotated[int, Field(ge=1, le=1000)]
Neighbours = Annotated[int, Field(ge=1, le=3)]  # the smallest role has four members


@dataclass(frozen=True)
class Config(ScriptConfig):
    recipes: PositiveInt = 2000  # recipes to read
    window: Window = 5  # largest distance of a context word
    subsample: PositiveFloat = 1e-3  # words more frequent than this are thinned out
    negatives: PositiveInt = 5  # words of noise for each pair
    power: Fraction = 0.75  # power of the counts in the noise distribution
    features: PositiveInt = 32  # features of a vector
    epochs: PositiveInt = 5  # passes over the recipes
    batch_size: PositiveInt = 4096  # pairs of a batch
    learning_rate: PositiveFloat = 5e-3  # peak learning rate
    neighbours: Neighbours = 3  # nearest neighbours whose role is looked at (the smallest role has four members)
    runs: PositiveInt = 3  # trainings, each on other recipes


@dataclass(frozen=True)
class Results:
    tokens: int
    vocabulary: int
    pairs: int
    losses: list[float]
    # the share of nearest neighbours of the same role, by run
    purity: dict[str, dict[str, list[float]]]
    purity_without_styles: dict[str, float]
    runs_agree: float | None
    runs_agree_by_chance: float
    words: dict[str, list[float]]
    nearest: dict[str, list[str]]
    vectors: dict[str, str]


class SkipGram(nn.Module):
    """Two vectors for each word, as centre and as context, that start as in word2vec."""

    def __init__(self, vocab: int, features: int, generator: torch.Generator) -> None:
        super().__init__()
        self.centre = nn.Embedding(vocab, features)
        self.context = nn.Embedding(vocab, features)
        nn.init.uniform_(self.centre.weight, -0.5 / features, 0.5 / features, generator=generator)
        nn.init.zeros_(self.context.weight)

    def forward(self, centres: Tensor, contexts: Tensor, noise: Tensor) -> Tensor:
        """Return the loss of each pair, -log s(context . centre) - sum of log s(-noise . centre), (pairs)."""
        centre = self.centre(centres)  # (pairs, features)
        positive = (centre * self.context(contexts)).sum(dim=-1)
        negative = (self.context(noise) @ centre[:, :, None]).squeeze(-1)  # (pairs, negatives)
        return -logsigmoid(positive) - logsigmoid(-negative).sum(dim=-1)


def train(text: Text, passes: list[Tensor], config: Config, generator: torch.Generator) -> tuple[Tensor, float]:
    """Return the centre vectors after training, (vocab, features), and the mean loss of the last hundred steps."""
    device = pick_device(config.device)
    model = SkipGram(len(text.words), config.features, generator).to(device)
    counts = torch.bincount(text.tokens).float()
    steps = sum(len(pairs.split(config.batch_size)) for pairs in passes)
    losses = []
    batches = noise_batches(
        passes,
        counts,
        batch_size=config.batch_size,
        negatives=config.negatives,
        power=config.power,
        generator=generator,
    )
    progress = train_steps(
        model,
        batches,
        loss_function=lambda model, batch: (model(*(part.to(device) for part in batch)).sum(), len(batch[0])),
        optimizers=make_optimizers(model, learning_rate=config.learning_rate),
        steps=steps,
        schedule=lambda step: 1 - step / steps,
        clip=None,
    )
    for _, loss in tqdm(progress, total=steps, desc="skip-gram"):
        losses.append(loss)
    last = losses[-100:]
    return model.centre.weight.detach().cpu(), sum(last) / len(last)


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    cookbook = Cookbook()
    role_of = ingredient_roles(cookbook)
    roles = list(role_of.values())
    purities: dict[str, list[dict[str, float]]] = {"skip-gram": [], "PPMI + SVD": [], "random": []}
    trainings, losses = [], []
    for repetition in range(config.runs):
        text = read_recipes(cookbook, repetition * config.recipes, config.recipes)
        counts = torch.bincount(text.tokens)
        keep = keep_probabilities(counts, config.subsample)
        passes = [draw_pairs(text, keep, config.window, generator) for _ in range(config.epochs)]
        vectors, loss = train(text, passes, config, generator)
        random = torch.randn(vectors.shape, generator=generator)
        rows = [text.words.index(word) for word in role_of]
        counted = ppmi_svd(passes, len(counts), features=config.features, power=config.power)
        for rival, table in zip(purities, (vectors, counted, random), strict=True):
            purities[rival].append(purity(table[rows], roles, config.neighbours))
            shares = "  ".join(f"{kind} {share:.3f}" for kind, share in purities[rival][-1].items())
            print(f"run {repetition}  {rival:<10}  {shares}")
        trainings.append(vectors[rows])
        losses.append(loss)
    known = purity_without_styles(cookbook, roles)
    print("ceiling without the style  " + "  ".join(f"{kind} {share:.3f}" for kind, share in known.items()))
    agree, by_chance = agreement(trainings, roles, config.neighbours)
    if agree is not None:
        print(f"first and last run share {agree:.3f} of the neighbours, {by_chance:.3f} by chance")

    # The last run's words and vectors
    ids = {word: index for index, word in enumerate(text.words)}
    noise = counts**config.power
    word_shares = torch.stack([counts / counts.sum(), keep, noise / noise.sum()], dim=1)
    closest = nearest(vectors, 5)
    similar = {word: [text.words[index] for index in closest[ids[word]]] for word in EXAMPLES}
    for word, others in similar.items():
        print(f"{word:<15} {', '.join(others)}")
    return Results(
        tokens=len(text.tokens),
        vocabulary=len(ids),
        pairs=sum(len(pairs) for pairs in passes),
        losses=losses,
        purity={rival: {kind: [each[kind] for each in by_run] for kind in known} for rival, by_run in purities.items()},
        purity_without_styles=known,
        runs_agree=agree,
        runs_agree_by_chance=by_chance,
        words={word: word_shares[ids[word]].tolist() for word in ("the", "minutes", *EXAMPLES)},
        nearest=similar,
        vectors={word: " ".join(f"{x:.4f}" for x in vectors[ids[word]].tolist()) for word in role_of},
    )


def plot(results: Results) -> Figure:
    """Draw the purity of each rival, run by run, beside the best that a window without the style allows."""
    figure, axes = new_figure()
    for number, (rival, shares) in enumerate(results.purity.items()):
        for row, kind in enumerate(shares):
            height = [row + 0.25 * (number - 1)] * len(shares[kind])
            axes.plot(shares[kind], height, "os^"[number], color=f"C{number}", label=None if row else rival)
    for row, share in enumerate(results.purity_without_styles.values()):
        label = None if row else "ceiling without the style"
        axes.plot([share] * 2, [row - 0.4, row + 0.4], color="black", linewidth=1, label=label)
    axes.set_yticks(range(3), list(results.purity_without_styles))
    axes.set(xlabel="share of the nearest neighbours of the same role", xlim=(-0.02, 1.02))
    axes.invert_yaxis()
    axes.legend(loc="lower center", ncols=4, bbox_to_anchor=(0.5, 1.0))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
