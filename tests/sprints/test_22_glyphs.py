"""Sprint 22, glyphs and digits: what is held out, what is best possible, baselines, and the scripts at a small size."""

import itertools
import math
import unicodedata
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

SPRINT = "22_pictures_and_words"
SOME = 130  # glyphs of a style: those of ASCII and a few more


@pytest.fixture
def glyphs(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/seeing/glyphs.py")


@pytest.fixture
def study(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/seeing/glyph_study.py")


@pytest.fixture
def baselines(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/seeing/glyph_baselines.py")


@pytest.fixture
def names(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/seeing/name_tokens.py")


@pytest.fixture
def captions(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/seeing/digit_captions.py")


@pytest.fixture
def distort(load_sprint):
    return load_sprint(f"{SPRINT}/seeing/distortions.py").distort


def test_the_fonts_have_the_names_that_the_note_counts(glyphs):
    codes = glyphs.named_codes("Sans")
    words = {word for code in codes for word in unicodedata.name(chr(code)).split()}
    assert (len(codes), len(words)) == (5810, 2186)


def test_glyphs_stand_on_one_line_with_their_ink_in_the_middle(glyphs):
    drawn = glyphs.draw_style("Serif", SOME)
    assert len(drawn) + drawn.left_out == SOME
    for name, picture in zip(drawn.names, drawn.pictures.numpy(), strict=True):
        rows, columns = picture.nonzero()
        assert abs(columns.min() + columns.max() - (glyphs.SIDE - 1)) <= 3, name
        if name.startswith("latin capital letter") and not name.endswith((" q", " j")):
            assert abs(rows.max() + 1 - glyphs.BASELINE) <= 1, name
    at = dict(zip(drawn.names, drawn.pictures, strict=True))
    assert at["comma"].nonzero()[:, 0].max() > glyphs.BASELINE > at["apostrophe"].nonzero()[:, 0].max()
    assert "space" not in at  # it has no ink
    assert unicodedata.lookup("LATIN SMALL LETTER A").lower() == "a"


def test_a_glyph_is_what_matplotlib_draws_of_the_same_file(glyphs):
    from matplotlib.ft2font import FT2Font, LoadFlags

    make: Any = FT2Font  # its stub does not know this argument
    font = make(str(glyphs.font_file("Sans Bold")), hinting_factor=1)
    font.set_size(glyphs.POINTS, 72)  # at 72 dots an inch a point is a pixel
    drawn = dict(zip(*(lambda some: (some.names, some.pictures))(glyphs.draw_style("Sans Bold", SOME)), strict=True))
    for name in ("latin capital letter r", "ampersand", "digit seven"):
        font.clear()
        font.set_text(unicodedata.lookup(name.upper()), 0.0, flags=LoadFlags.DEFAULT)
        font.draw_glyphs_to_bitmap(antialiased=True)
        theirs = np.asarray(font.get_image())
        theirs = theirs[np.ix_(theirs.any(axis=1), theirs.any(axis=0))]
        ours = drawn[name].numpy()
        ours = ours[np.ix_(ours.any(axis=1), ours.any(axis=0))]
        assert ours.shape == theirs.shape
        assert np.abs(ours.astype(int) - theirs).mean() < 12, name


def test_an_unknown_style_is_refused(glyphs):
    with pytest.raises(ValueError, match=r"must be one of Sans, .*; got 'Comic'"):
        glyphs.draw_style("Comic")


def test_what_was_seen_is_found_whatever_its_name(glyphs):
    pictures = torch.zeros(3, 2, 2, dtype=torch.uint8)
    pictures[1, 0, 0], pictures[2, 1, 1] = 1, 255
    assert glyphs.seen(pictures, pictures[[1]]).tolist() == [False, True, False]
    assert glyphs.as_input(pictures)[2].flatten().tolist() == [-1, -1, -1, 1]


def test_the_best_possible_is_what_perfect_scores_reach(glyphs, load_sprint):
    recall = load_sprint(f"{SPRINT}/seeing/retrieval.py").recall
    generator = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 2, (40, 2, 2), generator=generator, dtype=torch.uint8)
    same = (pictures[:, None] == pictures[None]).flatten(2).all(dim=2).float()
    for k in (1, 3, 10):
        assert glyphs.ceiling(pictures, k) == pytest.approx(recall(same, k=k), abs=1e-6)
    alike = torch.tensor([1, 1, 1, 2, 3], dtype=torch.uint8)[:, None, None]  # the example of the note
    assert [glyphs.ceiling(alike, k) for k in (1, 2, 3)] == pytest.approx([3 / 5, 4 / 5, 1])


def test_names_become_words_and_digits_and_a_bag_has_no_order(names):
    assert names.parts("braille pattern dots-12") == ["braille", "pattern", "dots", "1", "2"]
    first, second = "upwards arrow with tip leftwards", "leftwards arrow with tip upwards"
    tokens = names.NameTokens([first, second, "arrow arrow"])
    assert len(tokens) == 1 + len({*first.split()})
    encoded = tokens.encode([first, second, "arrow"])
    assert encoded.shape == (3, 6)
    assert encoded[0, 1] == encoded[2, 0] != 0
    assert encoded[2, 1:].tolist() == [0] * 5
    assert not torch.equal(encoded[0], encoded[1])
    bags = tokens.bags([first, second, "arrow arrow tip"])
    assert torch.equal(bags[0], bags[1])
    assert bags[2].max().item() == pytest.approx(2 / 5**0.5)
    assert bags[:, 0].tolist() == [0, 0, 0]  # the end is no word
    with pytest.raises(ValueError, match="at most 5 parts, all of them in training names; 'arrow below' has others"):
        tokens.encode(["arrow", "arrow below"])


def test_names_that_are_held_out_are_made_of_known_parts(study):
    every = [f"{size} {colour} {thing}" for size in "ab" for colour in "cdef" for thing in "ghij"]
    held_out = study.hold_out(every, 0.25)
    assert len(held_out) == 8
    rest = " ".join(name for name in every if name not in held_out)
    assert all(rest.count(letter) >= 2 for letter in "abcdefghij")
    assert held_out == study.hold_out(every, 0.25)
    assert study.hold_out(["one of a kind", "another one"], 0.5) == frozenset()


def test_nothing_that_is_asked_was_trained_on(study, glyphs):
    training = study.training_glyphs(("Sans", "Sans Oblique"), 0.1, SOME)
    examined = study.examined_glyphs("Sans Bold Oblique", training, SOME)
    assert training.held_out
    assert not training.held_out & {*training.names, *training.glyphs.names}
    assert {*examined.known.names} <= {*training.names}
    assert {*examined.unknown.names} <= training.held_out
    for asked in (examined.known, examined.unknown):
        assert not glyphs.seen(asked.pictures, training.glyphs.pictures).any()
    again = study.examined_glyphs("Sans", training, SOME)  # all that it asks was seen, but what was held out
    assert (len(again.known), again.foreign) == (0, 0)
    assert again.seen + len(again.unknown) == len(glyphs.draw_style("Sans", SOME))


def test_a_picture_is_drawn_of_a_style_that_has_the_name(study):
    training = study.training_glyphs(("Sans", "Mono"), 0.0, 600)
    row = int((training.has.sum(dim=1) == 1).nonzero()[0])  # a glyph that one of the styles lacks
    alone, both = torch.tensor([row] * 8), torch.arange(5).repeat_interleave(20)
    generator = torch.Generator().manual_seed(0)
    assert training.draw(alone, generator).flatten(1).any(dim=1).all()
    drawn = training.draw(both, generator).unflatten(0, (5, 20))
    assert all(len({picture.numpy().tobytes() for picture in of_one}) == 2 for of_one in drawn)


def test_batches_have_rows_of_names_that_are_alike_and_each_name_once_in_a_pass(study, glyphs):
    training = study.training_glyphs(("Sans", "Sans Bold"), 0.0, 90)
    tokens = training.tokens.encode(training.names)
    batches = study.glyph_batches(training, 20, 5, 0.0, torch.Generator().manual_seed(0))
    drawn, rows = [next(batches) for _ in range(-(-len(tokens) // 20))], []
    for pictures, said in drawn:
        places = [int((tokens == one).all(dim=1).nonzero()) for one in said]
        for place, picture in zip(places, pictures, strict=True):
            of_name = glyphs.as_input(training.pictures[place][training.has[place]])
            assert (of_name == picture).flatten(1).all(dim=1).any()
        following = [(after - before) % len(tokens) == 1 for before, after in itertools.pairwise(places)]
        assert sum(following) >= 0.6 * len(places)
        rows += places
    assert sorted(rows) == list(range(len(tokens)))


def test_blurred_pictures_are_scipys(baselines, glyphs):
    from scipy.ndimage import gaussian_filter

    pictures = glyphs.draw_style("Mono", 40).pictures
    for blur in (0.5, 1.0, 2.0):
        filtered = [
            gaussian_filter(one / 255, blur, mode="constant", radius=3 * int(blur + 1)) for one in pictures.numpy()
        ]
        theirs = torch.nn.functional.normalize(torch.from_numpy(np.stack(filtered)).flatten(1), dim=1)
        torch.testing.assert_close(baselines.pixel_vectors(pictures, blur), theirs.float(), atol=1e-6, rtol=0)


def test_neighbours_and_words_are_scikit_learns(baselines, study):
    from sklearn.linear_model import Ridge
    from sklearn.neighbors import NearestNeighbors

    training = study.training_glyphs(("Sans", "Sans Oblique"), 0.1, SOME)
    asked = study.examined_glyphs("Mono", training, SOME).known
    vectors = baselines.pixel_vectors(training.glyphs.pictures, 1.0).double().numpy()
    search = NearestNeighbors(n_neighbors=1, metric="cosine").fit(vectors)
    distance, row = search.kneighbors(baselines.pixel_vectors(asked.pictures, 1.0).double().numpy())
    scores = baselines.neighbours(training, 1.0, asked)
    for picture, (far, near) in enumerate(zip(distance[:, 0], row[:, 0], strict=True)):
        if (name := training.glyphs.names[near]) in asked.names:
            assert scores[picture, asked.names.index(name)].item() == pytest.approx(1 - far, abs=1e-5)
            assert scores[picture].max().item() == pytest.approx(1 - far, abs=1e-5)

    def inputs(pictures: Tensor) -> np.ndarray:
        x = baselines.pixel_vectors(pictures, 1.0).double().numpy()
        return np.hstack([x, np.ones((len(x), 1))])

    ridge = Ridge(alpha=0.5, fit_intercept=False)
    ridge.fit(inputs(training.glyphs.pictures), training.tokens.bags(training.glyphs.names).double().numpy())
    bags = torch.from_numpy(ridge.predict(inputs(asked.pictures)))
    theirs = torch.nn.functional.normalize(bags, dim=1) @ training.tokens.bags(asked.names).double().mT
    found = baselines.predicted_words(training, 0.5)(asked)
    torch.testing.assert_close(found.double(), theirs, atol=2e-3, rtol=0)


def test_neighbours_of_a_name_that_nobody_knows_go_by_its_words(baselines, glyphs, names, study):
    pictures = torch.zeros(3, 4, 4, dtype=torch.uint8)
    for row in range(3):
        pictures[row, row] = 255
    known = glyphs.Glyphs(["small letter a", "small letter b with dot", "arrow"], pictures, 0)
    tokens, has = names.NameTokens(known.names), torch.ones(3, 1, dtype=torch.bool)
    training = study.Training(known, known.names, frozenset(), pictures[:, None], has, tokens)
    asked = glyphs.Glyphs(["small letter a with dot", "arrow with dot"], pictures[[0, 2]], 0)
    scores = baselines.neighbours(training, 0.0, asked)
    assert scores[0].tolist() == pytest.approx([3 / 15**0.5, 0])  # a's picture, three words in common of 3 and 5
    assert scores[1].tolist() == pytest.approx([0, 1 / 3**0.5])


def test_distorted_pictures_are_pictures_and_no_strength_changes_nothing(distort, glyphs):
    pictures = glyphs.as_input(glyphs.draw_style("Sans", 60).pictures)
    assert distort(pictures, 0.0, torch.Generator()) is pictures
    one, again = (distort(pictures, 1.0, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one, again)
    assert -1 <= one.min() <= one.max() <= 1
    nearly = distort(pictures, 1e-4, torch.Generator().manual_seed(3))
    torch.testing.assert_close(nearly, pictures, atol=2e-2, rtol=0)
    blank = torch.full((4, 1, 8, 8), -1.0)
    torch.testing.assert_close(distort(blank, 1.0, torch.Generator().manual_seed(0)), blank)
    dots = torch.full((200, 1, 9, 9), -1.0)
    dots[:, :, 3:6, 3:6] = 1
    ink = (distort(dots, 1.0, torch.Generator().manual_seed(0)) + 1).sum(dim=(1, 2, 3)) / 2
    assert (ink < 6).any()  # thinner
    assert (ink > 15).any()  # thicker


def test_a_group_has_each_digit_once_and_captions_are_of_their_pictures(captions):
    labels = torch.arange(200) % 10
    generator = torch.Generator().manual_seed(0)
    for rows, said in captions.groups(labels, 3, 5, generator, different=True):
        assert labels[rows].tolist() == [[*range(10)]] * 3
        assert all(captions.NUMBERS[row % 10] in text for row, text in zip(rows.flatten().tolist(), said, strict=True))
    any_ten = [labels[rows] for rows, _ in captions.groups(labels, 3, 5, generator, different=False)]
    assert any(len({*group.tolist()}) < 10 for group in torch.cat(any_ten))
    tokens = captions.caption_tokens()
    assert tokens.encode(captions.prompts()).shape == (10, tokens.context)  # known words
    training = {captions.caption(digit, template) for digit in range(10) for template in range(len(captions.TEMPLATES))}
    assert not training & {*captions.prompts()}  # but not a known sentence
    with pytest.raises(ValueError, match="a digit from 0 to 9 by one of 4 templates; got 10 and 0"):
        captions.caption(10, 0)


def test_the_numbers_of_the_note_and_the_exercises(glyphs):
    note = (Path(__file__).parents[2] / "sprints" / SPRINT / "notes" / "11_glyphs_and_digits.md").read_text("utf-8")

    def price(others: int) -> float:
        chances = [math.comb(others, twins) * 0.1**twins * 0.9 ** (others - twins) for twins in range(others + 1)]
        return sum(chance * math.log(1 + twins) for twins, chance in enumerate(chances))

    for number in (0.9**9, price(9)):
        assert f"{number:.3f}" in note
    assert [round(price(others), 3) for others in (1, 2)] == [0.069, 0.136]  # exercise W
    sizes = [1] * 2700 + [2] * 120 + [3] * 20  # exercise V
    alike = (
        torch.tensor([row for row, size in enumerate(sizes) for _ in range(size)])
        .view(torch.uint8)
        .unflatten(0, (3000, 1, 8))
    )
    assert [round(glyphs.ceiling(alike, k), 3) for k in (1, 2, 3)] == [0.947, 0.993, 1.0]


def test_glyphs_by_hand_shows_the_example_of_the_note(load_sprint):
    script = load_sprint(f"{SPRINT}/glyphs_by_hand.py")
    results = script.main(script.Config())
    assert results.seen["Serif"] == [False] * 5 + [True]
    assert list(results.best["Serif"].values()) == pytest.approx([3 / 5, 4 / 5, 1])
    script.plot(results)
    with pytest.raises(ValueError, match="a name and ink in all fonts"):
        script.Config(letters=("A", "\N{NO-BREAK SPACE}")).check()


def test_glyphs_runs_small_and_the_same_way_twice(load_sprint):
    script = load_sprint(f"{SPRINT}/glyphs.py")
    config = script.Config(
        most=70, held_out=0.1, blurs=(1.0,), ridges=(1.0,), rates=(0.01, 0.02), steps=2, batch_size=32, d_model=8,
        layers=1, seeds=2,
    )  # fmt: skip
    results = script.main(config)
    assert (
        script.main(replace(config, rates=(0.01,), blurs=(0.0, 1.0))).held_out[script.MONO].best
        == results.held_out[script.MONO].best
    )
    assert {*results.held_out} == {*script.HELD_OUT}
    for styles in results.held_out.values():
        assert styles.found["nearest neighbour"]["known: picture to name @1"][0] > 0.3
        for way in styles.found.values():
            assert all(mean <= styles.best[what] + 1e-6 for what, (mean, _) in way.items())
    assert script.main(config) == results
    script.plot(results)


def test_digits_runs_small_and_every_parameter_moves(load_sprint):
    from shared.lab.digits import halves, load_digits

    script = load_sprint(f"{SPRINT}/digits_with_captions.py")
    config = script.Config(
        inverse_penalties=(1.0,), gammas=(0.2,), rates=(0.01,), steps=3, groups=2, d_model=8, seeds=2
    )
    results = script.main(config)
    assert results.measured["SVC"].interval[0] > 0.95
    assert results == script.main(config)
    script.plot(results)
    training, _ = halves(load_digits())
    before = dict(
        script.train(training, replace(config, steps=1, distortion=0.0), 1e-30, 0, different=True).named_parameters()
    )
    after = dict(
        script.train(training, replace(config, steps=3, distortion=0.0), 0.01, 0, different=True).named_parameters()
    )
    assert [name for name in before if torch.equal(before[name], after[name])] == []


def test_ones_own_pictures_run_small(load_sprint, tmp_path):
    script = load_sprint(f"{SPRINT}/your_pictures.py")
    folder = script.example(tmp_path / "mine", 40)
    config = script.Config(pictures=str(folder), most=30, steps=2, batch_size=8, d_model=8, layers=1, size=32)
    results = script.main(config)
    assert (results.pictures, results.captions, results.tested) == (30, 30, 6)
    assert results.chance == {name: min(1, int(name[-2:].strip("@")) / 6) for name in results.recalls}
    assert script.main(config) == results
    with pytest.raises(ValueError, match="two pictures must train and two must test; got 0 and 30"):
        script.main(replace(config, held_out=1.0))
    with pytest.raises(ValueError, match="patches must fill the picture"):
        replace(config, patch=7).check()
