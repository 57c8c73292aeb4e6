"""The merges are done backwards."""

from pathlib import Path

from shared.lab.modules import load_module

right = load_module(Path(__file__).parents[1] / "solution.py")


def encode(word: str, merges: list[tuple[str, str]]) -> list[str]:
    tokens = tuple(word)
    for pair in reversed(merges):
        tokens = right.merge(tokens, pair)
    return list(tokens)
