"""How much of a text stands word for word in another one? A suffix automaton finds the longest copies in linear time.

Theory: notes/06_copying.md
"""

from collections.abc import Iterable

END = "\0"  # between texts, so that no copy reaches from one into the next
MOST = 5_000_000  # characters; each takes a dictionary or two


class SuffixAutomaton:
    """The smallest automaton that reads exactly the substrings of some texts (Blumer et al. 1985).

    A state stands for substrings that end at the same places. `longest` is the length of the longest of them, `link`
    the state of their longest suffix that ends at more places, `steps` where each next character leads.

    Args:
        texts: what may have been copied.

    Raises:
        ValueError: the texts are too long.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        characters = END.join(texts)
        if len(characters) > MOST:
            raise ValueError(
                f"copies are looked for in texts of at most {MOST:,} characters, which take gigabytes of memory; these "
                f"have {len(characters):,}: take a part of the book"
            )
        self.steps: list[dict[str, int]] = [{}]
        self.link, self.longest = [-1], [0]
        last = 0
        for character in characters:
            last = self._append(character, last)

    def _append(self, character: str, last: int) -> int:
        """Add a character behind the state `last` of the whole text so far, and return its new state."""
        state = self._new({}, self.longest[last] + 1, 0)
        while last >= 0 and character not in self.steps[last]:
            self.steps[last][character] = state
            last = self.link[last]
        if last < 0:
            return state
        target = self.steps[last][character]
        if self.longest[target] == self.longest[last] + 1:
            self.link[state] = target
            return state
        # The target also holds longer substrings, which do not end here: the shorter ones get a state of their own.
        shorter = self._new(dict(self.steps[target]), self.longest[last] + 1, self.link[target])
        while last >= 0 and self.steps[last].get(character) == target:
            self.steps[last][character] = shorter
            last = self.link[last]
        self.link[target] = self.link[state] = shorter
        return state

    def _new(self, steps: dict[str, int], longest: int, link: int) -> int:
        self.steps.append(steps)
        self.longest.append(longest)
        self.link.append(link)
        return len(self.steps) - 1

    def matches(self, text: str) -> list[int]:
        """Return for each character the length of the longest substring ending with it that is in the texts."""
        lengths, state, length = [], 0, 0
        for character in text:
            while state and character not in self.steps[state]:
                state = self.link[state]
                length = self.longest[state]
            if character in self.steps[state]:
                state, length = self.steps[state][character], length + 1
            lengths.append(length)
        return lengths


def copied_share(automaton: SuffixAutomaton, text: str, shortest: int) -> float:
    """Return the share of a text's characters that lie in copied runs of at least `shortest` characters."""
    covered = [False] * len(text)
    for end, length in enumerate(automaton.matches(text), start=1):
        if length >= shortest:
            covered[end - length : end] = [True] * length
    return sum(covered) / max(1, len(text))
