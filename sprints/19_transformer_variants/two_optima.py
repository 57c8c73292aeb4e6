"""What does the best possible model lose on a recipe: from the left, and with one hole in the whole of it?

    uv run sprints/19_transformer_variants/two_optima.py
    uv run sprints/19_transformer_variants/two_optima.py --recipes 2 --seed 3

Nothing is trained: the grammar reads each recipe with each token that may stand in each hole. Both optima are split by
what a token is for. Theory: notes/05_what_a_hole_is_worth.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure
from tqdm import tqdm

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import NonNegativeInt, PositiveInt
from shared.lab.run import run
from shared.text.corpora import CookbookCorpus, cookbook_tokenizer
from shared.text.token_kinds import KINDS, pieces_of, token_kinds
from variants.holes import HoleFiller


@dataclass(frozen=True)
class Config(ScriptConfig):
    recipes: PositiveInt = 40  # test recipes, each token of which is put in a hole of its own
    vocab_size: PositiveInt = 2048  # distinct tokens
    shown: NonNegativeInt = 12  # holes of the first recipe that are printed, the dearest ones


@dataclass(frozen=True)
class ShownHole:
    """A hole of the first recipe: the tokens before it, what stood there, what may, and what it costs in nats."""

    before: str
    token: str
    candidates: list[str]
    nats: float


@dataclass(frozen=True)
class Results:
    """Nats per token; the parts of the kinds add up to the whole."""

    tokens: int
    from_the_left: float
    one_hole: float
    shares: dict[str, float]
    left_kinds: dict[str, float]
    hole_kinds: dict[str, float]
    free_of_charge: float
    candidates: float
    shown: list[ShownHole]


def main(config: Config) -> Results:
    corpus = CookbookCorpus(cookbook_tokenizer(config.vocab_size))
    filler, name = HoleFiller(corpus.cookbook.write, corpus.tokenizer), corpus.tokenizer.decode
    left, alone, counts = (dict.fromkeys(KINDS, 0.0) for _ in range(3))
    shown, free, candidates = [], 0, 0
    documents = corpus.documents("test", config.seed * config.recipes, config.recipes)
    for index, tokens in enumerate(tqdm(documents, desc="recipes")):
        recipe = corpus.cookbook.recipe("test", config.seed * config.recipes + index)
        pieces = pieces_of(corpus.cookbook, recipe.text)
        for piece in pieces:
            left[piece.kind] += piece.nats
        for place, kind in enumerate(token_kinds(pieces, tokens, corpus.tokenizer)[:-1], start=1):
            hole = filler.hole(tokens, place)
            alone[kind] += hole.nats
            counts[kind] += 1
            free += len(hole.chances) == 1
            candidates += len(hole.chances)
            if index == 0:
                before, names = name(tokens[max(1, place - 3) : place]), sorted(map(name, ([t] for t in hole.chances)))
                shown.append(ShownHole(before, name([tokens[place]]), names, abs(hole.nats)))
    total = round(sum(counts.values()))
    left, alone, shares = ({kind: part[kind] / total for kind in KINDS} for part in (left, alone, counts))
    shown = sorted(shown, key=lambda hole: -hole.nats)[: config.shown]
    for hole in shown:
        print(f"{hole.before!r} [{hole.token}]: {hole.nats:.3f} nats; one of {', '.join(hole.candidates)}")
    for kind in KINDS:
        print(f"{kind:22}{shares[kind]:6.1%} of tokens, from the left {left[kind]:.4f}, one hole {alone[kind]:.4f}")
    whole = sum(left.values()), sum(alone.values())
    print(f"nats per token: from the left {whole[0]:.4f}, one hole {whole[1]:.4f}; {free / total:.1%} leave no choice")
    return Results(total, *whole, shares, left, alone, free / total, candidates / total, shown)


def plot(results: Results) -> Figure:
    """Draw both optima as bars of their parts."""
    figure, axes = new_figure(8.6, 3.2)
    names = (f"from the left: {results.from_the_left:.3f}", f"one hole: {results.one_hole:.3f}")
    start = [0.0, 0.0]
    for index, kind in enumerate(KINDS):
        parts = [results.left_kinds[kind], results.hole_kinds[kind]]
        axes.barh(names, parts, left=start, color=f"C{index}", label=kind)
        start = [before + part for before, part in zip(start, parts, strict=True)]
    axes.invert_yaxis()
    axes.set(xlabel="nats per token, by what the token is for")
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
