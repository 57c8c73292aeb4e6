"""What each token of a recipe is for, and so where a model loses what it loses.

The grammar is read with a pen that notes the rule of each piece of text; a token belongs to the piece in which its
first letter stands. So the least possible loss is split in the same way as that of a model.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from shared.text.cookbook import Cookbook
from shared.text.grammar import Choice, Parser
from shared.text.tokenizers import Tokenizer

# What a token is for, and what a model has to know for it.
KINDS = (
    "title and servings",  # free, within the dishes
    "amounts",  # fit the servings
    "promised by the title",  # copied from the title into the list
    "rest of the list",  # free, within the role
    "wording",  # of method and tip
    "from the list",  # ingredients that the method or the tip names again
    "minutes and servings",  # follow from list and title
)
RULES = {
    "amount that fits the servings": "amounts",
    "ingredient that the title promises": "promised by the title",
    "minutes": "minutes and servings",
    "servings": "minutes and servings",
    "double": "minutes and servings",
    "wording": "wording",
    "swap": "wording",  # another ingredient than the listed ones
    "dish": "wording",
}


@dataclass(frozen=True)
class Piece:
    """A piece of a recipe: where it starts, what it is for, and what it costs at least, in nats."""

    start: int
    kind: str
    nats: float


class KindsParser(Parser):
    """A parser that notes the pieces it reads."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.pieces: list[Piece] = []
        self.list_starts = text.index("\n\n") + 2
        self.method_starts = text.index("\n\n", self.list_starts) + 2

    def write(self, text: str, rule: str = "wording") -> None:
        """Read a text that leaves no choice."""
        start = self.position
        super().write(text, rule)
        self.pieces.append(Piece(start, self.kind(start, rule), 0.0))

    def pick(self, options: Choice, rule: str) -> int:
        """Read one of the texts and return its index."""
        start = self.position
        index = super().pick(options, rule)
        self.pieces.append(Piece(start, self.kind(start, rule), -options.log_probs[index]))
        return index

    def kind(self, start: int, rule: str) -> str:
        """Return what a piece is for, by its section and the rule that wrote it."""
        if start < self.list_starts - 2:
            return "title and servings"
        if start < self.method_starts - 2:
            return RULES[rule] if rule in RULES and rule != "wording" else "rest of the list"
        return RULES.get(rule, "from the list")


def pieces_of(cookbook: Cookbook, text: str) -> list[Piece]:
    """Return the pieces of a recipe from left to right; their nats add up to minus its log-probability.

    Raises:
        GrammarFault: the cookbook cannot write this text.
    """
    parser = KindsParser(text)
    cookbook.write(parser)
    parser.finish()
    return parser.pieces


def token_kinds(pieces: Sequence[Piece], tokens: Sequence[int], tokenizer: Tokenizer) -> list[str]:
    """Return what each target is for: each token of a recipe but the first, which begins the document.

    A token's first letter decides, for most tokens begin with the space in front of their word. The end is wording.
    """
    starts, kinds, position = [piece.start for piece in pieces], [], 0
    for token in tokens[1:]:
        text = "" if token == tokenizer.end_token else tokenizer.decode([token])
        first = position + len(text) - len(text.lstrip())
        kinds.append(pieces[bisect_right(starts, first) - 1].kind if text else "wording")
        position += len(text)
    return kinds
