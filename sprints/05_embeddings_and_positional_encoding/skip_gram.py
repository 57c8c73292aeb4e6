"""Do words that are used alike get vectors alike? Skip-gram with negative sampling (Mikolov et al. 2013) on recipes.

    uv run sprints/05_embeddings_and_positional_encoding/skip_gram.py
    uv run sprints/05_embeddings_and_positional_encoding/skip_gram.py --preset wide

The model sees text alone. Its judge knows the role of each ingredient in the grammar: are the nearest neighbours of a
vegetable vegetables? Random vectors, and PPMI with an SVD on the same pairs, stand beside. Each run reads other
recipes; the vectors of the last one are saved with the results. Theory: notes/02_skip_gram.md
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, normalize
from tqdm import tqdm

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.text.cookbook import Cookbook
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers

# Far enough to reach from an ingredient to the title
PRESETS = {"wide": {"recipes": 8000, "window": 15, "subsample": 1e-4, "features": 64, "runs": 2}}
EXAMPLES = ("butter", "beef", "penne", "smoked_paprika", "fridge", "winter")


@dataclass(frozen=True)
class Config(ScriptConfig):
    recipes: int = 2000  # recipes to read
    window: int = 5  # largest distance of a context word
    subsample: float = 1e-3  # words more frequent than this are thinned out
    negatives: int = 5  # words of noise for each pair
    power: float = 0.75  # power of the counts in the noise distribution
    features: int = 32  # features of a vector
    epochs: int = 5  # passes over the recipes
    batch_size: int = 4096  # pairs of a batch
    learning_rate: float = 5e-3  # peak learning rate
    neighbours: int = 3  # nearest neighbours whose role is looked at (the smallest role has four members)
    runs: int = 3  # trainings, each on other recipes


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


class Text(NamedTuple):
    """Token ids one after another, the number of the recipe of each, and the words by id, frequent ones first."""

    tokens: Tensor
    recipes: Tensor
    words: list[str]


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


def splitter(cookbook: Cookbook) -> Callable[[str], list[str]]:
    """Return a function from text to words; an ingredient is one word, by its long name or its short one.

    Example: "Fry the garlic in olive oil." becomes fry, the, garlic_cloves, in, olive_oil.
    """
    names = {
        name: ingredient.name.replace(" ", "_")
        for pantry in cookbook.pantry.values()
        for ingredient in pantry
        for name in (ingredient.name, ingredient.short)
    }
    # Longest first, so that "unsalted butter" is not butter.
    pattern = re.compile(rf"\b({'|'.join(sorted(names, key=len, reverse=True))})\b")
    return lambda text: re.findall(r"\w+", pattern.sub(lambda name: names[name[0]], text.lower()))


def read(cookbook: Cookbook, start: int, recipes: int) -> Text:
    """Return recipes as tokens.

    Raises:
        ValueError: an ingredient does not occur, so that it would have no vector.
    """
    split = splitter(cookbook)
    documents = [split(cookbook.recipe("train", index).text) for index in range(start, start + recipes)]
    words = [word for word, _ in Counter(word for document in documents for word in document).most_common()]
    ingredients = {item.name.replace(" ", "_") for pantry in cookbook.pantry.values() for item in pantry}
    if missing := sorted(ingredients - set(words)):
        raise ValueError(f"each ingredient must occur, {missing[0]} does not in {recipes} recipes: give more --recipes")
    ids = {word: index for index, word in enumerate(words)}
    lengths = torch.tensor([len(document) for document in documents])
    tokens = torch.tensor([ids[word] for document in documents for word in document])
    return Text(tokens, torch.arange(recipes).repeat_interleave(lengths), words)


def keep_probabilities(counts: Tensor, subsample: float) -> Tensor:
    """Return the probability with which each word is kept: sqrt(subsample / share), at most 1 (section 2.3)."""
    return (subsample * counts.sum() / counts).sqrt().clamp(max=1)


def draw_pairs(text: Text, keep: Tensor, window: int, generator: torch.Generator) -> Tensor:
    """Return the (centre, context) pairs of one pass in random order, (pairs, 2).

    Frequent words are thinned out first, so that windows reach farther; each centre draws the size of its window.
    """
    kept = torch.rand(len(text.tokens), generator=generator) < keep[text.tokens]
    tokens, recipes = text.tokens[kept], text.recipes[kept]
    reach = torch.randint(1, window + 1, tokens.shape, generator=generator)
    pairs = []
    for distance in range(1, window + 1):
        left, right = tokens[:-distance], tokens[distance:]
        same = recipes[:-distance] == recipes[distance:]
        looks_right, looks_left = same & (reach[:-distance] >= distance), same & (reach[distance:] >= distance)
        pairs += [torch.stack([left, right])[:, looks_right], torch.stack([right, left])[:, looks_left]]
    joined = torch.cat(pairs, dim=1).T
    return joined[torch.randperm(len(joined), generator=generator)]


def batches(passes: list[Tensor], counts: Tensor, config: Config, generator: torch.Generator) -> Iterator[list[Tensor]]:
    """Yield centres, contexts and noise for each batch of pairs; noise is drawn by the counts of words to a power."""
    noise = counts**config.power
    for pairs in passes:
        for batch in pairs.split(config.batch_size):
            drawn = torch.multinomial(noise, len(batch) * config.negatives, replacement=True, generator=generator)
            yield [batch[:, 0], batch[:, 1], drawn.view(len(batch), config.negatives)]


def train(text: Text, passes: list[Tensor], config: Config, generator: torch.Generator) -> tuple[Tensor, float]:
    """Return the centre vectors after training, (vocab, features), and the mean loss of the last hundred steps."""
    device = pick_device(config.device)
    model = SkipGram(len(text.words), config.features, generator).to(device)
    counts = torch.bincount(text.tokens).float()
    steps = sum(len(pairs.split(config.batch_size)) for pairs in passes)
    losses = []
    progress = train_steps(
        model,
        batches(passes, counts, config, generator),
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


def ppmi_svd(passes: list[Tensor], vocab: int, config: Config) -> Tensor:
    """Return the factors of positive pointwise mutual information (Levy & Goldberg 2014), (vocab, features)."""
    cells = torch.cat([pairs[:, 0] * vocab + pairs[:, 1] for pairs in passes])
    counts = torch.bincount(cells, minlength=vocab**2).view(vocab, vocab).double()
    # The contexts are smoothed as the noise of skip-gram is.
    contexts = counts.sum(dim=0) ** config.power
    independent = counts.sum(dim=1, keepdim=True) * contexts / contexts.sum()
    ppmi = (counts / independent.clamp(min=1e-12)).log().clamp(min=0)
    left, values, _ = torch.linalg.svd(ppmi)
    return (left[:, : config.features] * values[: config.features].sqrt()).float()


def nearest(vectors: Tensor, count: int) -> Tensor:
    """Return the most similar other rows of each row by cosine, (rows, count)."""
    units = normalize(vectors)
    return (units @ units.T).fill_diagonal_(-torch.inf).topk(count).indices


def purity(vectors: Tensor, roles: list[str], neighbours: int) -> dict[str, float]:
    """Return the mean share of the nearest neighbours of an ingredient that have its role."""
    ids = torch.tensor([sorted(set(roles)).index(role) for role in roles])
    return by_kind((ids[nearest(vectors, neighbours)] == ids[:, None]).float().mean(dim=1), roles)


def by_kind(shares: Tensor, roles: list[str]) -> dict[str, float]:
    """Return the means of a number for each ingredient over the spices, over the others and over all."""
    spice = torch.tensor([role.startswith("spice") for role in roles])
    return {"spices": shares[spice].mean().item(), "others": shares[~spice].mean().item(), "all": shares.mean().item()}


def purity_without_styles(cookbook: Cookbook, roles: list[str]) -> dict[str, float]:
    """Return the purity to expect of one who knows every role, but of a spice only whether it is savoury or sweet."""
    taste = {f"spice_{style}": taste for style, taste in cookbook.styles}
    known = [taste.get(role, role) for role in roles]
    members, lookalikes = Counter(roles), Counter(known)
    shares = [(members[role] - 1) / (lookalikes[group] - 1) for role, group in zip(roles, known, strict=True)]
    return by_kind(torch.tensor(shares), roles)


def agreement(runs: list[Tensor], roles: list[str], neighbours: int) -> tuple[float | None, float]:
    """Return the share of nearest neighbours that the first and the last run have in common, and that of chance.

    Spices are left out. Chance knows the role, and picks at random within it. A single run agrees with no other: None.
    """
    rows = [index for index, role in enumerate(roles) if not role.startswith("spice")]
    first, last = (nearest(vectors, neighbours)[rows] for vectors in (runs[0], runs[-1]))
    shared = (first[:, :, None] == last[:, None, :]).any(dim=2).float().mean().item()
    members = Counter(roles)
    return shared if len(runs) > 1 else None, sum(neighbours / (members[roles[row]] - 1) for row in rows) / len(rows)


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    cookbook = Cookbook()
    role_of = {item.name.replace(" ", "_"): role for role, pantry in cookbook.pantry.items() for item in pantry}
    roles = list(role_of.values())
    found: dict[str, list[dict[str, float]]] = {"skip-gram": [], "PPMI + SVD": [], "random": []}
    runs, losses = [], []
    for run in range(config.runs):
        text = read(cookbook, run * config.recipes, config.recipes)
        counts = torch.bincount(text.tokens)
        keep = keep_probabilities(counts, config.subsample)
        passes = [draw_pairs(text, keep, config.window, generator) for _ in range(config.epochs)]
        vectors, loss = train(text, passes, config, generator)
        random = torch.randn(vectors.shape, generator=generator)
        rows = [text.words.index(name) for name in role_of]
        for name, rival in zip(found, (vectors, ppmi_svd(passes, len(counts), config), random), strict=True):
            found[name].append(purity(rival[rows], roles, config.neighbours))
            shares = "  ".join(f"{kind} {share:.3f}" for kind, share in found[name][-1].items())
            print(f"run {run}  {name:<10}  {shares}")
        runs.append(vectors[rows])
        losses.append(loss)
    known = purity_without_styles(cookbook, roles)
    print("all but the styles known " + "  ".join(f"{kind} {share:.3f}" for kind, share in known.items()))
    agree, by_chance = agreement(runs, roles, config.neighbours)
    if agree is not None:
        print(f"first and last run share {agree:.3f} of the neighbours, {by_chance:.3f} by chance")

    # The last run's words and vectors
    ids = {word: index for index, word in enumerate(text.words)}
    noise = counts**config.power
    shares = torch.stack([counts / counts.sum(), keep, noise / noise.sum()], dim=1)
    closest = nearest(vectors, 5)
    similar = {word: [text.words[index] for index in closest[ids[word]]] for word in EXAMPLES}
    for word, others in similar.items():
        print(f"{word:<15} {', '.join(others)}")
    return Results(
        tokens=len(text.tokens),
        vocabulary=len(ids),
        pairs=sum(len(pairs) for pairs in passes),
        losses=losses,
        purity={name: {kind: [run[kind] for run in its] for kind in known} for name, its in found.items()},
        purity_without_styles=known,
        runs_agree=agree,
        runs_agree_by_chance=by_chance,
        words={word: shares[ids[word]].tolist() for word in ("the", "minutes", *EXAMPLES)},
        nearest=similar,
        vectors={name: " ".join(f"{x:.4f}" for x in vectors[ids[name]].tolist()) for name in role_of},
    )


def plot(results: Results) -> Figure:
    """Draw the purity of each rival, run by run, beside that of one who knows all but the styles."""
    figure, axes = new_figure()
    for place, (name, shares) in enumerate(results.purity.items()):
        for row, kind in enumerate(shares):
            height = [row + 0.25 * (place - 1)] * len(shares[kind])
            axes.plot(shares[kind], height, "os^"[place], color=f"C{place}", label=None if row else name)
    for row, share in enumerate(results.purity_without_styles.values()):
        label = None if row else "all known but the styles"
        axes.plot([share] * 2, [row - 0.4, row + 0.4], color="black", linewidth=1, label=label)
    axes.set_yticks(range(3), list(results.purity_without_styles))
    axes.set(xlabel="share of the nearest neighbours of the same role", xlim=(-0.02, 1.02))
    axes.invert_yaxis()
    axes.legend(loc="lower center", ncols=4, bbox_to_anchor=(0.5, 1.0))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS)
