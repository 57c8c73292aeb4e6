"""The table of sprint 22: pictures that determine scenes, captions and questions whose probabilities are exact."""

import itertools
import math
from collections import Counter
from dataclasses import replace
from itertools import permutations, product
from types import ModuleType, SimpleNamespace

import pytest
import torch

SPRINT = "22_pictures_and_words"


@pytest.fixture
def parts(load_sprint) -> SimpleNamespace:
    names = ("scenes", "drawing", "captions", "facts", "questions", "retrieval_optimum", "worth")
    return SimpleNamespace(**{name: load_sprint(f"{SPRINT}/seeing/{name}.py") for name in names})


def two(parts, places: tuple[int, int] = (3, 2)):
    Item = parts.scenes.Item
    plate = Item("plate", "red", "large", *divmod(places[0], 3))
    return parts.scenes.Scene((plate, Item("bowl", "blue", "small", *divmod(places[1], 3))))


SAID = "a red plate and a small blue bowl. the plate is left of the bowl."


def test_a_scene_refuses_what_the_table_has_not(parts):
    Item, Scene = parts.scenes.Item, parts.scenes.Scene
    item = Item("plate", "red", "large", 0, 0)
    for items, words in (
        ((), "1 to 4 items"),
        ((item, replace(item, row=1)), "kinds of a scene must differ"),
        ((item, replace(item, kind="bowl")), "different places"),
    ):
        with pytest.raises(ValueError, match=words):
            Scene(items)
    for change in ({"kind": "cup"}, {"colour": "pink"}, {"size": "huge"}, {"row": 3}, {"column": -1}, {"dx": 2}):
        with pytest.raises(ValueError, match=f"{next(iter(change))} must be one of"):
            replace(item, **change)
    other = Item("bowl", "red", "small", 0, 2)
    assert Scene((item, other)) == Scene((other, item))


def test_every_choice_of_a_scene_is_uniform(parts):
    drawn = parts.scenes.scenes("train", 0, 4000)
    assert parts.scenes.scenes("train", 17, 2) == drawn[17:19]
    counts = Counter(len(scene.items) for scene in drawn)
    items = [item for scene in drawn for item in scene.items]
    assert all(abs(counts[number] - 1000) < 4 * math.sqrt(750) for number in range(1, 5))
    for field in ("kind", "colour", "size", "row", "column", "dx", "dy"):
        of_field = Counter(vars(item)[field] for item in items)
        share = 1 / len(of_field)
        spread = 4 * math.sqrt(len(items) * share * (1 - share))
        assert all(abs(count - len(items) * share) < spread for count in of_field.values()), field
    assert {len(parts.scenes.KINDS), len(parts.scenes.COLOURS)} == {6}


def test_streams_share_no_seed(parts):
    seeds = [
        parts.scenes.generator_of(stream, index).initial_seed()
        for stream, index in product(parts.scenes.STREAMS, range(100))
    ]
    assert len(set(seeds)) == 300
    for stream, index in (("holdout", 0), ("train", -1)):
        with pytest.raises(ValueError, match=r"stream must be|numbered from 0"):
            parts.scenes.generator_of(stream, index)


def test_a_thousand_pictures_are_read_back(parts):
    drawn = parts.scenes.scenes("test", 0, 1000)
    pictures = parts.drawing.pictures(drawn)
    assert pictures.min() >= -1
    assert pictures.max() <= 1
    back = ((pictures + 1) * 127.5).round().to(torch.uint8)
    assert [parts.drawing.decode(picture) for picture in back] == drawn
    assert torch.equal(back[7], parts.drawing.render(drawn[7]))


def test_whatever_differs_differs_in_six_pixels_and_stays_in_its_place(parts):
    assert parts.drawing.fewest_different_pixels() >= 6
    places, numbers, _ = parts.drawing._all_places()
    assert len(places) == 649
    # The wood around the thing is nowhere covered by the next place: a shift never leaves the place.
    for look, number in numbers.items():
        if look is not None:
            covered, _ = parts.drawing.shape(look[0], parts.drawing.ACROSS[look[2]])
            assert int((places[number] != places[0]).any(dim=0).sum()) == int(covered.sum()), look


def test_a_place_of_the_picture_is_the_place_of_the_item(parts):
    item = parts.scenes.Item("knife", "black", "small", 0, 2, dx=1, dy=-1)
    picture = parts.drawing.render(parts.scenes.Scene((item,)))
    dark = (picture.sum(dim=0) < 150).nonzero()
    assert dark.min(dim=0).values.tolist() == [3, 32 + 4 + 1 + 3]
    assert dark.max(dim=0).values.tolist()[1] == 32 + 4 + 1 + 4


def test_what_is_no_picture_of_a_table_is_refused(parts):
    picture = parts.drawing.render(two(parts))
    for wrong, words in (
        (picture.float(), "torch.uint8"),
        (picture[:1], r"\(1, 48, 48\)"),
        (picture.flip(1), "row 0, column 0"),
        (parts.drawing.empty_place().repeat(1, 3, 3), "1 to 4 items"),
        (picture[:, 16:32].repeat(1, 3, 1), "kinds of a scene must differ"),
    ):
        with pytest.raises(ValueError, match=words):
            parts.drawing.decode(wrong)


def test_the_example_of_the_note(parts):
    """1/2 · 1/4 · 1/2 · 1/2 with the picture, 1/4 · 1/15 · 1/2 · 1/36 · 1/4 · 1/2 · 1/2 · 1/4 without it."""
    captions = parts.captions
    assert captions.log_probability(SAID, two(parts)) == pytest.approx(-math.log(32))
    assert captions.log_probability(SAID, two(parts, (3, 5))) == pytest.approx(-math.log(16))
    assert captions.log_probability_without_picture(SAID) == pytest.approx(-math.log(276_480))
    assert math.log(276_480) - math.log(32) == pytest.approx(9.064, abs=1e-3)
    assert math.log(276_480) == pytest.approx(12.530, abs=1e-3)
    assert math.log(32) == pytest.approx(3.466, abs=1e-3)
    # If every count asked for a random colour, the answer would be 0 in 65 % of the cases.
    assert sum((5 / 6) ** number for number in range(1, 5)) / 4 == pytest.approx(0.65, abs=0.005)


def test_the_exercise_on_paper(parts):
    Item = parts.scenes.Item
    scene = parts.scenes.Scene(
        (
            Item("glass", "black", "small", 0, 2),
            Item("slice", "green", "small", 0, 0),
            Item("knife", "white", "large", 2, 0),
        )
    )
    text = "a large white knife, a black glass and a small green slice. the slice is above the knife."
    assert parts.captions.log_probability(text, scene) == pytest.approx(-math.log(288))
    assert parts.captions.log_probability_without_picture(text) == pytest.approx(-math.log(79_626_240))
    assert 79_626_240 / 288 == 276_480


def every_caption(parts, scene) -> list[str]:
    """Write every caption that a scene can have."""
    captions, written = parts.captions, []
    for ordered in permutations(scene.items):
        for said in product((True, False), repeat=len(ordered)):
            mentions = tuple(
                captions.Mention(item.kind, item.colour, item.size if is_said else None)
                for item, is_said in zip(ordered, said, strict=True)
            )
            relations = [None]
            if len(ordered) > 1:
                relations = [
                    (one.kind, relation, other.kind)
                    for one, other in permutations(ordered, 2)
                    for relation in parts.scenes.true_relations(one, other)
                ]
            written += [captions.write(captions.Facts(mentions, relation)) for relation in relations]
    return written


def test_probabilities_of_all_captions_of_a_scene_sum_to_one(parts):
    for scene in (scene for scene in parts.scenes.scenes("test", 0, 9) if len(scene.items) < 4):
        written = every_caption(parts, scene)
        assert len(set(written)) == len(written)
        total = sum(math.exp(parts.captions.log_probability(text, scene)) for text in written)
        assert total == pytest.approx(1)


@pytest.mark.parametrize("places", [(3, 2), (3, 5)])
def test_captions_are_drawn_with_their_probabilities(parts, places: tuple[int, int]):
    """Pearson's statistic of 2,000 captions over all 32, or 16, of a scene: its mean is one less, here at most 4 sd."""
    scene, generator = two(parts, places), torch.Generator().manual_seed(0)
    drawn = Counter(parts.captions.caption(scene, generator) for _ in range(2000))
    expected = {
        text: 2000 * math.exp(parts.captions.log_probability(text, scene)) for text in every_caption(parts, scene)
    }
    assert drawn.keys() <= expected.keys()
    statistic = sum((drawn[text] - count) ** 2 / count for text, count in expected.items())
    freedom = len(expected) - 1
    assert statistic < freedom + 4 * math.sqrt(2 * freedom)


def test_without_the_picture_it_is_the_mean_over_all_scenes(parts):
    """All 15 · 36 · 4 · 72 scenes of two items have one probability each; most cannot have this caption."""
    Item, Scene = parts.scenes.Item, parts.scenes.Scene
    total = 0.0
    for size, (one, other) in product(parts.scenes.SIZES, permutations(range(9), 2)):
        plate, bowl = Item("plate", "red", size, *divmod(one, 3)), Item("bowl", "blue", "small", *divmod(other, 3))
        total += math.exp(parts.captions.log_probability(SAID, Scene((plate, bowl))))
    mean = total / (15 * 36 * 4 * 72) / 4
    assert math.log(mean) == pytest.approx(parts.captions.log_probability_without_picture(SAID))


def test_entropies_are_the_mean_surprise_of_drawn_captions(parts):
    drawn = parts.captions.pairs("train", 0, 3000)
    assert [scene for scene, _ in drawn[:5]] == parts.scenes.scenes("train", 0, 5)
    for exact, nats in (
        (parts.captions.entropy(), [-parts.captions.log_probability_without_picture(text) for _, text in drawn]),
        (parts.captions.entropy_given_scene(), [-parts.captions.log_probability(text, scene) for scene, text in drawn]),
    ):
        measured = torch.tensor(nats, dtype=torch.float64)
        assert abs(measured.mean().item() - exact) < 4 * measured.std().item() / math.sqrt(len(nats))
    # Given the number of items the entropy is exact within each of them, and not only on average.
    for number in range(1, 5):
        of_number = torch.tensor(
            [-parts.captions.log_probability(text, s) for s, text in drawn if len(s.items) == number]
        )
        spread = max(of_number.std().item() / math.sqrt(len(of_number)), 1e-6)
        assert abs(of_number.mean().item() - parts.captions.entropy_given_scene(number)) < 4 * spread


def test_a_caption_is_read_back_and_nothing_else_is(parts):
    read, write = parts.captions.read_caption, parts.captions.write
    for _, text in parts.captions.pairs("train", 0, 200):
        assert write(read(text)) == text
    facts = read(SAID)
    assert facts.mentions[0] == parts.captions.Mention("plate", "red", None)
    assert facts.relation == ("plate", "left of", "bowl")
    for text in (
        "",
        "a red plate",
        "a red plate and a blue bowl.",
        "a red plate. the plate is left of the plate.",
        "a red plate and a blue plate. the plate is left of the plate.",
        "a red plate and a blue bowl. the plate is left of the knife.",
        "a red plate, a blue plate and a red bowl. the plate is left of the bowl.",
        "a red plate and a blue bowl. the plate is left of the plate.",
        "a red plate, a blue bowl. the plate is left of the bowl.",
        "a plate red and a blue bowl. the plate is left of the bowl.",
        "a red plate and a blue bowl. the plate is near the bowl.",
        SAID + " ",
        SAID + SAID,
        "a red plate, a red bowl, a red napkin, a red slice and a red knife. the plate is above the bowl.",
    ):
        assert read(text) is None, text
        assert parts.captions.log_probability_without_picture(text) == -math.inf


@pytest.mark.parametrize(
    "text",
    [
        "a blue plate and a small blue bowl. the plate is left of the bowl.",
        "a red plate and a large blue bowl. the plate is left of the bowl.",
        "a red plate and a small blue bowl. the plate is right of the bowl.",
        "a red plate and a small blue glass. the plate is left of the glass.",
        "a red plate.",
        "",
    ],
)
def test_a_caption_that_is_not_true_is_impossible(parts, text: str):
    assert parts.captions.log_probability(text, two(parts)) == -math.inf


def test_facts_are_counted(parts):
    right = parts.facts.facts_right
    text = "a red plate and a large green bowl. the plate is right of the bowl."
    assert right(text, two(parts)) == {
        "caption": (1, 1), "number": (1, 1), "kind": (2, 2), "colour": (1, 2), "size": (0, 1), "relation": (0, 1),
    }  # fmt: skip
    elsewhere = right("a small black knife.", two(parts))
    assert elsewhere["number"] == elsewhere["kind"] == (0, 1)
    assert elsewhere["colour"] == elsewhere["size"] == elsewhere["relation"] == (0, 0)
    assert right("a plate", two(parts))["caption"] == (0, 1)
    for scene, said in parts.captions.pairs("test", 0, 100):
        assert all(true == made for true, made in right(said, scene).values())


def test_chance_of_facts_is_what_captions_of_other_scenes_get(parts):
    drawn = parts.captions.pairs("train", 0, 3000)
    counts = {name: [0, 0] for name in parts.facts.FACTS}
    for (scene, _), (_, text) in zip(drawn, drawn[1:] + drawn[:1], strict=True):
        for name, (right, made) in parts.facts.facts_right(text, scene).items():
            counts[name][0] += right
            counts[name][1] += made
    bowls = [two(parts, places) for places in permutations(range(9), 2)]
    for relation in parts.scenes.RELATIONS:
        true = sum(parts.scenes.holds(relation, scene.item("plate"), scene.item("bowl")) for scene in bowls)
        assert true / len(bowls) == parts.facts.CHANCE["relation"]
    for name, (right, made) in counts.items():
        chance = parts.facts.CHANCE[name]
        # Facts of one caption are not independent: twice the spread of independent ones.
        assert abs(right / made - chance) <= 8 * math.sqrt(chance * (1 - chance) / made), name


@pytest.mark.parametrize("kind", ["colour", "count", "relation"])
def test_answers_are_as_frequent_as_they_are_said_to_be(parts, kind: str):
    drawn = parts.questions.questions("train", kind, 0, 2000)
    answers = Counter(question.answer for _, question in drawn)
    for answer, share in parts.questions.blind_answers(kind).items():
        assert abs(answers[answer] / 2000 - share) < 4.5 * math.sqrt(share * (1 - share) / 2000) + 1e-3
    assert sum(parts.questions.blind_answers(kind).values()) == pytest.approx(1)
    assert parts.questions.questions("train", kind, 31, 2) == drawn[31:33]


def test_answers_are_right(parts):
    scene, generator = two(parts), torch.Generator().manual_seed(0)
    for kind, count in (("colour", 8), ("count", 30), ("relation", 60)):
        for _ in range(count):
            question = parts.questions.ask(scene, kind, generator)
            words = question.text.rstrip("?").split()
            if kind == "colour":
                assert question.answer == scene.item(words[-1]).colour
            elif kind == "count":
                assert question.answer == {"red": "1", "blue": "1"}.get(words[2], "0")
            else:
                first, second, relation = scene.item(words[2]), scene.item(words[-1]), " ".join(words[3:-2])
                assert question.answer == ("yes" if parts.scenes.holds(relation, first, second) else "no")


def test_questions_refuse_and_answers_are_read(parts):
    single = parts.scenes.Scene(two(parts).items[:1])
    with pytest.raises(ValueError, match="between two items"):
        parts.questions.ask(single, "relation", torch.Generator())
    with pytest.raises(ValueError, match="kind of question"):
        parts.questions.blind_optimum("size")
    read = parts.questions.read_answer
    assert read("colour", " Red. ") == "red"
    assert read("count", "4") == "4"
    assert read("count", "four") is read("relation", "red") is read("colour", "") is None


def test_parts_sum_to_the_probabilities(parts):
    for scene, text in parts.captions.pairs("train", 0, 100):
        alone, given = parts.worth.of_caption(text), parts.worth.of_caption(text, scene)
        assert sum(alone.values()) == pytest.approx(-parts.captions.log_probability_without_picture(text))
        assert sum(given.values()) == pytest.approx(-parts.captions.log_probability(text, scene))
    for number in range(1, 5):
        without = sum(parts.worth.on_average(number, seen=False).values())
        assert without == pytest.approx(parts.captions.entropy(number) + math.log(4))
        given = sum(parts.worth.on_average(number, seen=True).values())
        assert given == pytest.approx(parts.captions.entropy_given_scene(number))
    for text in ("nothing", "a red plate."):
        with pytest.raises(ValueError, match=r"no caption|does not have"):
            parts.worth.of_caption(text, two(parts))


def test_the_table_of_probabilities_is_the_one_caption_at_a_time(parts):
    drawn = parts.captions.pairs("test", 0, 16)
    scenes = [scene for scene, _ in drawn] + [two(parts), two(parts, (3, 5)), two(parts, (2, 3))]
    texts = [text for _, text in drawn] + [SAID, SAID, SAID.replace("left of", "above")]
    table = parts.retrieval_optimum.log_probabilities(texts, scenes)
    one_by_one = [[parts.captions.log_probability(text, scene) for scene in scenes] for text in texts]
    torch.testing.assert_close(table, torch.tensor(one_by_one, dtype=torch.float64))
    with pytest.raises(ValueError, match="no caption"):
        parts.retrieval_optimum.log_probabilities(["a plate"], scenes)


def test_ties_are_drawn_at_random(parts):
    scores = torch.tensor([[1.0, 1.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
    recall_at = parts.retrieval_optimum.recall_at
    assert recall_at(scores, 1) == pytest.approx((1 / 2 + 0 + 1 / 3) / 3)
    assert recall_at(scores, 2) == pytest.approx((1 + 1 + 2 / 3) / 3)
    assert recall_at(scores, 3) == 1
    assert recall_at(scores + torch.tensor([0.0, 1e-15, 0.0]), 1) == pytest.approx(recall_at(scores, 1))


def test_the_best_ranking_finds_what_its_posteriors_expect(parts):
    """Drawn again and again: pairs of one item, since these are easily confused."""
    generator = torch.Generator().manual_seed(0)
    found, expected, worse = [], [], []
    for _ in range(8):
        drawn = [parts.scenes.draw_scene(generator) for _ in range(320)]
        scenes = [scene for scene in drawn if len(scene.items) == 1]
        texts = [parts.captions.caption(scene, generator) for scene in scenes]
        optimum = parts.retrieval_optimum.best_recall(texts, scenes)["scene to caption"]
        found.append(optimum.found)
        expected.append(optimum.expected)
        likelihood = parts.retrieval_optimum.log_probabilities(texts, scenes).mT
        worse.append(parts.retrieval_optimum.recall_at(likelihood, 1))
    assert sum(found) / 8 == pytest.approx(sum(expected) / 8, abs=0.04)
    # P(caption | scene) alone does not rank the captions of a scene: rare ones are worth more.
    assert sum(worse) / 8 < sum(found) / 8 - 0.03


def test_retrieval_refuses(parts):
    scenes, best = [two(parts)], parts.retrieval_optimum.best_recall
    for texts, k, words in (([], 1, "0 captions"), ([SAID], 2, "k = 2"), (["a red plate."], 1, "cannot be one of")):
        with pytest.raises(ValueError, match=words):
            best(texts, scenes, k)


@pytest.fixture
def laid(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/a_laid_table.py")


def test_what_a_picture_is_worth(laid):
    results = laid.main(laid.Config(scenes=300, decoded=50))
    assert results.decoded == 50
    assert results.worth == pytest.approx(results.entropy - results.entropy_given_scene)
    assert results == laid.main(laid.Config(scenes=300, decoded=50))
    mean = sum(row["worth"] for row in results.by_number.values()) / 4
    assert mean == pytest.approx(results.worth)
    worth = [row["worth"] for row in results.by_number.values()]
    assert [round(more - less, 1) for less, more in itertools.pairwise(worth)] == [4.1, 2.4, 1.9], "as note 3 says"
    for number, row in results.by_number.items():
        n = int(number)
        # Note 3: what is added without the scene.
        added = math.log(4) + math.log(math.comb(6, n)) + n * math.log(6) + n / 2 * math.log(2)
        relation = (math.log(4) - math.log(2) / 2) if n > 1 else 0
        assert row["without"] - row["given"] == pytest.approx(added + relation)
    for number, parts_of in results.worth_by_part.items():
        assert sum(parts_of.values()) == pytest.approx(results.by_number[number]["worth"])
    assert results.fewest_different_pixels >= 6
    laid.plot(results)


def test_worth_by_hand(load_sprint):
    script = load_sprint(f"{SPRINT}/worth_by_hand.py")
    results = script.main(script.Config())
    assert results.one_in_without == pytest.approx(276_480)
    assert results.one_in_given == pytest.approx(32)
    assert results.worth == pytest.approx(math.log(8640))
    script.plot(results)
    for options in ({"caption": "a plate."}, {"places": (3,)}, {"places": (3, 3)}, {"places": (5, 3)}):
        with pytest.raises(ValueError, match=r"a caption is|needs a place|different places|does not have"):
            script.Config(**options).check()


def test_the_best_possible(load_sprint):
    script = load_sprint(f"{SPRINT}/best_possible.py")
    results = script.main(script.Config(pairs=60, sets=1, at=(1, 60), questions=200))
    assert results.questions["relation"]["optimum"] == 0.5
    assert results.questions["count"]["answer"] == "1"
    assert abs(results.questions["colour"]["measured"] - 1 / 6) < 0.1
    assert results.recall["scene to caption"]["60"] == (1, None)
    assert results.recall[script.LIKELIHOOD]["1"][0] <= results.recall["scene to caption"]["1"][0]
    counts = Counter(len(scene.items) for scene, _ in load_sprint(f"{SPRINT}/seeing/captions.py").pairs("test", 0, 60))
    mean = sum(results.recall_by_number[str(number)][0] * count for number, count in counts.items()) / 60
    assert mean == pytest.approx(results.recall["caption to scene"]["1"][0])
    assert results.expected["caption to scene"]["1"] == pytest.approx(mean, abs=0.05)
    with pytest.raises(ValueError, match="as many pairs"):
        script.Config(pairs=5).check()


def test_a_colour_blind_camera(parts):
    """Exercise B: red (0) and green (1) look the same. What is the best accuracy for counts?"""
    probability: dict[tuple, dict[int, float]] = {}
    for number in range(1, 5):
        for colours in product(range(6), repeat=number):
            for asked in range(6):
                count = colours.count(asked)
                of_asked = (1 - parts.questions.OF_AN_ITEM) / 6 + parts.questions.OF_AN_ITEM * count / number
                seen = (tuple(max(colour, 1) for colour in colours), asked)
                answers = probability.setdefault(seen, {})
                answers[count] = answers.get(count, 0.0) + of_asked / 6**number / 4
    assert sum(max(answers.values()) for answers in probability.values()) == pytest.approx(0.910, abs=1e-3)
