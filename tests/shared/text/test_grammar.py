"""The pens of shared/text/grammar.py on a grammar small enough to count by hand."""

import math

import pytest
import torch

from shared.text.grammar import Choice, GrammarFault, Parser, Pen, Sampler, choice, derivations
from shared.text.phrases import Phrases

GREETING = Phrases(["Good [morning|evening], {name}", "Hello {name}"])


def greet(pen: Pen) -> None:
    """Write one of 2 x 3 + 3 greetings, and a second exclamation mark one time in four."""
    GREETING.write(pen, {"name": Choice(["Ada", "Bo", "Cy"], [2, 1, 1])})
    pen.write("!")
    pen.choose(Choice(["?", "."], [1, 3]))


def test_derivations_are_distinct_and_their_probabilities_sum_to_one():
    texts = dict(derivations(greet))
    assert len(texts) == len(list(derivations(greet))) == 18
    assert math.fsum(math.exp(log_prob) for log_prob in texts.values()) == pytest.approx(1)
    assert texts["Good evening, Ada!."] == pytest.approx(math.log(1 / 2 * 1 / 2 * 1 / 2 * 3 / 4))


def test_parser_gives_every_derivation_its_probability():
    for text, log_prob in derivations(greet):
        parser = Parser(text)
        greet(parser)
        parser.finish()
        assert parser.log_prob == pytest.approx(log_prob)


def test_sampler_draws_as_often_as_the_probabilities_say():
    generator, texts = torch.Generator().manual_seed(0), dict(derivations(greet))
    counts = dict.fromkeys(texts, 0)
    for _ in range(4000):
        pen = Sampler(generator)
        greet(pen)
        counts[pen.text] += 1
        assert pen.log_prob == pytest.approx(texts[pen.text])
    chi_square = sum((counts[text] - 4000 * math.exp(p)) ** 2 / (4000 * math.exp(p)) for text, p in texts.items())
    assert chi_square < 40.8, "the 0.1 % quantile of chi-square with 17 degrees of freedom"


def test_entropy_along_a_path_and_surprise_have_the_same_mean():
    entropy = -sum(math.exp(log_prob) * log_prob for _, log_prob in derivations(greet))
    along = 0.0
    for text, log_prob in derivations(greet):
        parser = Parser(text)
        greet(parser)
        along += math.exp(log_prob) * parser.entropy
    assert along == pytest.approx(entropy)


@pytest.mark.parametrize(
    ("text", "rule", "position"),
    [
        ("Good night, Ada!.", "wording", 5),
        ("Hello Di!.", "name", 6),
        ("Hello Bo", "wording", 8),
        ("Hello Bo!.x", "end", 10),
    ],
)
def test_fault_names_rule_and_place(text: str, rule: str, position: int):
    def read() -> None:
        parser = Parser(text)
        greet(parser)
        parser.finish()

    with pytest.raises(GrammarFault, match=rule) as caught:
        read()
    assert caught.value.position == position


@pytest.mark.parametrize("texts", [[], ["pea", "pear"], ["", "a"]])
def test_choice_refuses_texts_that_cannot_be_told_apart(texts: list[str]):
    with pytest.raises(ValueError, match="text"):
        Choice(texts)


def test_choice_refuses_weights_that_are_not_positive():
    with pytest.raises(ValueError, match="positive weight"):
        Choice(["a", "b"], [1, 0])
    assert choice("a", "b") is choice("a", "b")
