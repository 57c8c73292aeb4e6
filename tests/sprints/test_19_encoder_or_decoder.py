"""What an encoder is for, in sprint 19: changed words with their exact posterior, and both kinds at both jobs, tiny."""

import itertools
import math

import numpy as np
import pytest
import torch
from lesson_texts import lesson_texts, shown

from shared.nn.bert import MaskedLanguageModel

FOLDER = "19_transformer_variants"
PAGE, note = lesson_texts(FOLDER)


@pytest.fixture
def small(load_sprint):
    return load_sprint(f"{FOLDER}/variants/small_grammar.py")


@pytest.fixture
def changed_words(load_sprint):
    return load_sprint(f"{FOLDER}/variants/changed_words.py")


@pytest.fixture
def table(small):
    """Three places, one of which never varies."""
    rows = np.array([[0, 3, 4], [0, 3, 5], [1, 3, 5], [2, 3, 6]])
    return small.TextTable(tuple("abcdefg"), rows, np.array([0.4, 0.3, 0.2, 0.1]))


def test_the_posterior_is_bayes_rule_over_all_that_may_have_happened(table, changed_words):
    changer = changed_words.Changer(table, share=0.3)
    assert {place: words.tolist() for place, words in changer.words.items()} == {0: [0, 1, 2], 2: [4, 5, 6]}
    mass: dict[tuple[int, ...], np.ndarray] = {}  # of each text that is seen: unchanged, and changed at each place
    for row, chance in zip(table.rows.tolist(), table.chances.tolist(), strict=True):
        mass.setdefault(tuple(row), np.zeros(4))[3] += 0.7 * chance
        for place, words in changer.words.items():
            for word in set(words.tolist()) - {row[place]}:
                seen = (*row[:place], word, *row[place + 1 :])
                mass.setdefault(seen, np.zeros(4))[place] += 0.3 * chance / 2 / (len(words) - 1)
    assert math.isclose(sum(parts.sum() for parts in mass.values()), 1)
    for text, length in itertools.product(mass, (1, 2, 3)):
        parts = sum((parts for other, parts in mass.items() if other[:length] == text[:length]), np.zeros(4))
        expected = [parts[place] / parts.sum() if place < length else 0.0 for place in range(3)]
        np.testing.assert_allclose(changer.posterior(np.array(text), length), expected, atol=1e-12)


def test_one_word_is_changed_as_often_as_said_to_every_other_word_alike(table, changed_words):
    generator = torch.Generator().manual_seed(0)
    changer = changed_words.Changer(table, share=0.3)
    rows, changed = changer.draw(20_000, generator)
    assert changed.sum(dim=1).max() == 1
    assert not changed[:, 1].any()
    assert abs(changed.any(dim=1).double().mean().item() - 0.3) < 0.015
    assert abs(changed[:, 0].double().mean().item() - 0.15) < 0.012
    # "a" is at the first place of 70 % of the texts; changed, it is "b" as often as "c".
    whole, _ = changer.optima(rows[:300])
    assert abs(whole.sum(dim=1).mean().item() - 0.3) < 0.07
    firsts = rows[changed[:, 0], 0].bincount(minlength=3) / changed[:, 0].sum()
    expected = torch.tensor([0.3 / 2, 0.7 / 2 + 0.1 / 2, 0.7 / 2 + 0.2 / 2])
    torch.testing.assert_close(firsts, expected, atol=0.03, rtol=0)


def test_note_8_by_hand(load_sprint):
    script = load_sprint(f"{FOLDER}/two_readers_by_hand.py")
    results = script.main(script.Config())
    assert results.readings["hot soup"].whole == [0, 0]
    assert results.readings["hot salad"].whole == [0.5, 0.5]
    assert [reading.from_left[0] for reading in results.readings.values()] == [0.25] * 4
    assert results.readings["hot salad"].from_left[1] == 0.5
    assert math.isclose(sum(reading.probability for reading in results.readings.values()), 1)
    assert results.whether == 0
    shown(note(8), results.whole, results.from_left, results.from_left - results.whole, script.uncertainty(0.25))
    script.plot(results)


def test_how_far_apart_the_two_readers_are_by_the_share_that_is_spoiled(load_sprint):
    script = load_sprint(f"{FOLDER}/two_readers_by_hand.py")
    rare = script.main(script.Config(share=0.1))
    shown(note(8), rare.whole, rare.from_left, script.uncertainty(0.05), rare.from_left - rare.whole)
    distances = {}
    for share in (0.39, 0.4, 0.41, 0.5, 0.9):
        results = script.main(script.Config(share=share))
        distances[share] = results.from_left - results.whole
    assert max(distances, key=distances.__getitem__) == 0.4
    for share, said in ((0.4, "at s = 0.4 the distance is"), (0.5, "at 0.5 still"), (0.9, "at 0.9")):
        assert f"{said} {distances[share]:.3f}" in PAGE


def test_the_tiny_recipes_are_as_large_as_said(small):
    table = small.small_recipes()
    assert (table.rows.shape[1], len(table.varying), len(table.words)) == (22, 8, 29)
    assert "29 for the tiny recipes" in note(8)
    assert f"0.15 · 22 = {0.15 * 22:.1f} on average" in note(8)


def test_a_decoder_that_knows_the_texts_fills_a_hole_exactly(table, load_sprint):
    """With the table's own conditionals instead of a trained model, likelihood gives the optimum."""
    ways = load_sprint(f"{FOLDER}/variants/filling_ways.py")
    test, words = ways.draw_holes(table, 6, 0), len(table.words)

    class Exact(torch.nn.Module):
        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            chances = torch.zeros(*tokens.shape, words, dtype=torch.float64)
            for text, row in enumerate(tokens.numpy()):
                for place in range(3):
                    fits = (table.rows[:, :place] == row[1 : place + 1]).all(axis=1)
                    mass = np.bincount(table.rows[fits, place], table.chances[fits], words)
                    chances[text, place] = torch.from_numpy(mass / max(mass.sum(), 1e-300))
            return chances.clamp(min=1e-300).log()

    filled = ways.fill_by_likelihood(Exact(), test.rows, test.holes, words)
    truth = test.rows[torch.arange(6), test.holes]
    for index, (row, hole) in enumerate(zip(test.rows.numpy(), test.holes.tolist(), strict=True)):
        expected = table.distribution(row, np.arange(3) != hole, hole)
        np.testing.assert_allclose(filled[index].exp().numpy(), expected, atol=1e-6)
    assert math.isclose(-filled[torch.arange(6), truth].mean().item(), test.at_hole)
    from_left = ways.text_log_probs(Exact(), test.rows, words)
    assert math.isclose(-from_left.sum(1).mean().item(), test.of_text)
    assert math.isclose(-from_left[torch.arange(6), test.holes].mean().item(), test.from_left)


def test_an_encoder_that_knows_the_texts_fills_and_writes_exactly(table, load_sprint):
    ways = load_sprint(f"{FOLDER}/variants/filling_ways.py")
    test, words = ways.draw_holes(table, 6, 0), len(table.words)

    class Exact(MaskedLanguageModel):
        def __init__(self) -> None:
            torch.nn.Module.__init__(self)  # the table is all that it needs

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:  # ty: ignore[incompatible-method-override]
            chances = torch.zeros(*tokens.shape, words + 2, dtype=torch.float64)
            for text, row in enumerate(tokens.numpy()):
                assert row[0] == words
                for place in np.flatnonzero(row == words + 1).tolist():
                    seen = row[1:] != words + 1
                    chances[text, place, :words] = torch.from_numpy(table.distribution(row[1:], seen, place - 1))
            return chances.clamp(min=1e-300).log()

    hidden = torch.arange(3) == test.holes[:, None]
    truth = test.rows[torch.arange(6), test.holes]
    filled = ways.fill_by_masks(Exact(), test.rows, hidden, words)[torch.arange(6), test.holes, truth]
    assert math.isclose(-filled.mean().item(), test.at_hole)
    written = ways.write_by_masks(Exact(), test.rows, words)
    assert math.isclose(-written.sum(dim=1).mean().item(), test.of_text)
    assert math.isclose(-written[torch.arange(6), test.holes].mean().item(), test.from_left)


@pytest.mark.parametrize("name", ["encoder_or_decoder", "filling_in"])
def test_both_scripts_tiny(name: str, load_sprint):
    script = load_sprint(f"{FOLDER}/{name}.py")
    config = script.Config(layers=1, heads=2, d_model=8, steps=2, batch_size=4, rates=(1e-3,), texts=8, seeds=2)
    results = script.main(config)
    assert results == script.main(config)
    script.plot(results)
    if name == "filling_in":
        assert [way.passes for way in results.filling.values()] == [1, 29, 1]
        assert len({way.optimum for way in results.filling.values()}) == 2
    else:
        assert results.optima["word"].loss < results.optima["word, from the left"].loss
        parameters = [model.parameters for model in results.models["word"].values()]
        assert max(parameters) / min(parameters) < 1.2


@pytest.mark.parametrize("copies", [1, 2])
def test_each_word_is_answered_where_it_stands_in_the_last_copy(copies: int, load_sprint):
    script = load_sprint(f"{FOLDER}/encoder_or_decoder.py")
    rows = torch.tensor([[-9, 8, 9] + [-7] * 19, [9, -8, 9] + [-7] * 19])
    changed = torch.zeros(2, 22, dtype=torch.bool)
    changed[:, 1:3] = True

    class SaysWhatItReads:
        context = 22 * copies + 1

        def __call__(self, tokens: torch.Tensor) -> torch.Tensor:
            assert tokens.shape[1] == self.context
            first_copy = torch.arange(self.context) < self.context - 22
            return tokens.masked_fill(first_copy, 100).float()

    losses, right = script.loss_of(SaysWhatItReads(), (rows, changed), "word")
    assert right.tolist() == [True, False]
    expected = torch.nn.functional.softplus(torch.where(changed, -rows, rows).float()).sum(dim=1)
    torch.testing.assert_close(losses, expected)


def test_every_parameter_learns_and_a_decoder_sees_no_later_word(load_sprint):
    kinds = load_sprint(f"{FOLDER}/variants/both_kinds.py")
    rows = torch.randint(29, (2, 22), generator=torch.Generator().manual_seed(0))
    tokens = kinds.with_start(rows, 29)
    later = tokens.clone()
    later[:, 12] = (later[:, 12] + 1) % 29
    for kind, sees in (("BERT", True), ("GPT", False)):
        model = kinds.Labeller(kind, 29, 23, (1, 2, 8), 0)
        with torch.no_grad():
            difference = (model(tokens) - model(later))[:, :12].abs().max().item()
            last = tokens.clone()
            last[:, -1] = (last[:, -1] + 1) % 29
            assert (model.of_text(tokens) != model.of_text(last)).all()  # asked of the text, both have read all of it
        assert (difference > 0) == sees
        model.of_text(tokens).square().sum().backward()
        assert all(weight.grad is not None and weight.grad.any() for weight in model.parameters())
