"""Byte-pair encoding.

Fill in the three functions. Then look how far you are, as often as you like:

    uv run sprints check 08.5
    uv run sprints hint 08.5

Theory: note 2 of this sprint, whose example the checks begin with.
"""

Pair = tuple[str, str]
Word = tuple[str, ...]


def merge(word: Word, pair: Pair) -> Word:
    """Return the word with every occurrence of the pair joined to one token, from left to right.

    merge(("a", "a", "a", "b"), ("a", "a")) is ("aa", "a", "b"): a token that was joined is not joined again.
    """
    raise NotImplementedError


def learn_merges(words: dict[str, int], merges: int) -> list[Pair]:
    """Return the pairs that byte-pair encoding joins, in the order in which it learns them.

    At first each word is a tuple of its characters. Then, again and again: count how often each pair of neighbours
    occurs in all words; join the most frequent one in every word; count anew. Among equally frequent pairs take the one
    that comes first in the alphabet: `min` of them as Python compares tuples of strings.

    Args:
        words: how often each word occurs in the text.
        merges: how many pairs to learn. There may be fewer: when no word has two tokens left, it ends.
    """
    raise NotImplementedError


def encode(word: str, merges: list[Pair]) -> list[str]:
    """Return the tokens of a word, which need not be one of the words that merges were learnt from.

    Begin with its characters, and do the merges in the order in which they were learnt.
    """
    raise NotImplementedError
