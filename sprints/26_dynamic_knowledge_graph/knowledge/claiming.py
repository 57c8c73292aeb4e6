"""From mentions to claims: what stands between two of them, and the two words behind, say how they are related."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

from knowledge.kinds import Claim, Mention
from knowledge.news import Piece
from knowledge.spans import tokens_of

Said = tuple[str, bool, bool]  # relation, whether it holds, whether the first mention is the subject; "" for no claim


class ClaimReader:
    """Counts what pairs of mentions claim, by the words around them, and reads the most frequent out of new ones.

    Args:
        shown: sentences with their mentions and claims.
    """

    def __init__(self, shown: Sequence[Piece]) -> None:
        counts: defaultdict[tuple[str, ...], Counter[Said]] = defaultdict(Counter)
        for piece in shown:
            said: dict[tuple[Mention, Mention], Said] = {}
            for claim in piece.claims:
                said[claim.subject, claim.object] = (claim.relation, claim.holds, True)
                said[claim.object, claim.subject] = (claim.relation, claim.holds, False)
            for one, other, between, behind in _pairs(piece.record.text, piece.mentions):
                for key in (between, behind), (between,):
                    counts[key][said.get((one, other), ("", True, True))] += 1
        self.said = {key: found.most_common(1)[0][0] for key, found in counts.items()}

    def claims(self, text: str, mentions: Sequence[Mention], key: str = "", day: int = 0) -> list[Claim]:
        """Return the claims of a text whose mentions are known, in order."""
        found = []
        for one, other, between, behind in _pairs(text, mentions):
            said = self.said.get((between, behind)) or self.said.get((between,))
            if said and said[0]:
                subject, object = (one, other) if said[2] else (other, one)
                found.append(Claim(key, subject, said[0], object, day, said[1]))
        return found


def _pairs(text: str, mentions: Sequence[Mention]) -> Iterator[tuple[Mention, Mention, str, str]]:
    """Yield pairs of mentions, the words from the one to the other with their kinds, and two words behind them."""
    for first, last in combinations(range(len(mentions)), 2):
        one, other = mentions[first], mentions[last]
        between, at = f"{one.kind}:", one.end
        for inner in mentions[first + 1 : last]:
            between, at = between + f"{text[at : inner.start]}<{inner.kind}>", inner.end
        between += f"{text[at : other.start]}:{other.kind}"
        yield one, other, between, " ".join(token.text for token in tokens_of(text[other.end :])[:2])
