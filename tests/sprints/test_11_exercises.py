"""The answers that the exercises and notes of sprint 11 give on paper."""

import math
from pathlib import Path

import torch
from lesson_texts import lesson_texts
from torch.nn import functional

from shared.text.cookbook import Cookbook

SPRINT = Path(__file__).parents[2] / "sprints/11_finetune_gpt2_classification"
PAGE, note = lesson_texts("11_finetune_gpt2_classification", minus="-")


def shown(*numbers: float, digits: int = 3) -> str:
    return ", ".join(f"{number:.{digits}f}" for number in numbers)


def test_a_head_with_three_classes():
    features, head = torch.tensor([2.0, 1]), torch.tensor([[1.0, 0], [0, 1], [0, 0]], requires_grad=True)
    logits = head @ features
    loss = functional.cross_entropy(logits, torch.tensor(1))
    loss.backward()
    page = PAGE.replace("−", "-")
    assert logits.tolist() == [2, 1, 0]
    assert f"probabilities {shown(*logits.softmax(0).tolist())}" in page
    assert f"Loss -ln 0.245 = {loss.item():.3f}" in page
    for row in head.grad.tolist():
        assert f"({shown(*row)})" in page


def test_one_cut_of_four():
    ratio = 1 + 3 * 0.8
    assert f"{ratio:.1f}/{1 + ratio:.1f} = {ratio / (1 + ratio):.3f}" in PAGE
    assert f"0.2/1.2 = {0.2 / 1.2:.3f}" in PAGE
    genuine, spoiled = 0.25, 0.25 + 0.75 * 0.8
    assert spoiled == 0.25 * ratio
    assert f"½ · ({1 - genuine:.2f} + {spoiled:.2f}) = {(1 - genuine + spoiled) / 2:.3f}" in PAGE


def test_a_word_that_decides(load_sprint):
    bag = load_sprint(f"{SPRINT.name}/text_classification/bag_of_words.py")
    texts = load_sprint(f"{SPRINT.name}/text_classification/labelled_texts.py").LabelledTexts

    def word(genuine: tuple[int, int], spoiled: tuple[int, int]) -> float:
        """Return how often `wire` is right, for (texts with it, texts without it) of each class."""
        written = [["wire soup"] * there + ["soup"] * missing for there, missing in (genuine, spoiled)]
        # Words of fewer than five texts are left out.
        five = texts(5 * (written[0] + written[1]), 5 * ([0] * sum(genuine) + [1] * sum(spoiled)))
        found = {one.word: one.train_accuracy for one in bag.deciding_words(five, five)}
        return found["wire"] * len(five) / 5

    assert f"{word((4, 1), (0, 5)):.0f} of 10 are right" in PAGE
    assert f"{word((4, 2), (1, 5)):.0f} of 12 are right" in PAGE
    assert f"Together {word((5, 1), (1, 5)):.0f} of 12" in note(5)


def test_the_weight_of_the_last_token_and_of_the_second_half():
    shares = [count / sum(range(1, count + 1)) for count in (9, 199)]
    assert f"so it is 2/(n + 1): {shares[0]:g} and {shares[1]:g}." in PAGE
    assert round(sum(range(501, 1001)) / sum(range(1, 1001)), 2) == 0.75


def test_a_temperature():
    sharp, wanted = math.log(0.9 / 0.1), math.log(0.7 / 0.3)
    assert f"{sharp:.3f}/{wanted:.3f} = {sharp / wanted:.3f}" in PAGE
    assert f"{torch.tensor(sharp / 2.593).sigmoid().item():.3f}" == "0.700"


def test_note_1_and_2_a_head_and_the_tokens_that_are_asked(load_sprint):
    head = load_sprint(f"{SPRINT.name}/head_by_hand.py")
    results = head.main(head.Config())
    assert f"P(genuine) = {results.probabilities[0]:.3f}, P(spoiled) = {results.probabilities[1]:.3f}" in note(1)
    assert f"-ln 0.731 = {results.loss:.3f}" in note(1)
    for row in results.gradient:
        assert f"({shown(*row)})" in note(1)
    assert head.main(head.Config(features=(0.0, 0.0))).gradient == [[0, 0], [0, 0]]
    assert head.plot(results)
    asked = load_sprint(f"{SPRINT.name}/who_is_asked.py")
    results = asked.main(asked.Config())
    assert [round(15 * weight) for weight in results.weights] == [1, 2, 3, 4, 5]
    assert f"0.508 + 0.060 = {results.every:.3f}" in note(2)
    assert f"{11 / 15 * math.log(2):.3f}, {-4 / 15 * math.log(0.8):.3f}" == "0.508, 0.060"
    assert asked.plot(results)


def test_note_2_what_a_pair_shares_cancels():
    genuine, spoiled, stranger = torch.tensor([[2.0, 1, 0], [2, 1, 1], [-1, 3, 1]])

    def gradient(first: float, second: float, other: torch.Tensor) -> str:
        return ", ".join(f"{number:g}" for number in (first * genuine + (second - 1) * other).mul(10).round().div(10))

    for words in (gradient(0.5, 0.5, spoiled), gradient(0.5, 0.5, stranger), gradient(0.4, 0.8, spoiled)):
        assert f"= ({words})" in note(2)


def test_note_3_the_best_judge_of_two_cuts(load_sprint):
    script = load_sprint(f"{SPRINT.name}/bayes_by_hand.py")
    results = script.main(script.Config())
    for ratio, posterior in zip(results.ratios, results.posteriors, strict=True):
        assert f"{ratio:.2f} / {1 + ratio:.2f} = {posterior:.3f}" in note(3)
    assert f"({shown(results.genuine[0], results.genuine[1], results.spoiled[2]).replace(', ', ' + ')})" in note(3)
    assert f"= {results.accuracy:.3f}. **Nobody" in note(3)
    assert sum(results.genuine) == sum(results.spoiled) == 1 or math.isclose(sum(results.spoiled), 1)
    rare = 6.76 / 9
    assert f"6.76 · 0.111 = {rare:.3f}, so P(spoiled) = {rare / (1 + rare):.3f}" in note(3)
    recipes = load_sprint(f"{SPRINT.name}/text_classification/spoiled_recipes.py")
    cookbook = Cookbook(dishes=recipes.DISHES)
    spoiler, seen = recipes.Spoiler(cookbook), set()
    expected = {(0, 0): 0.991, (0, 1): 0.841, (1, 0): 0.816, (0, 2): 0.201, (1, 1): 0.175}
    for index in range(150):
        text = cookbook.recipe("train", index).text
        cuts = spoiler._cuts(text)
        assert sorted(len(cut.choices) for cut in cuts) == [5, 5, 5, 6]
        others = [len(cut.choices) for cut in cuts if cut.word != cut.choices[0]]
        kind = others.count(6), others.count(5)
        seen.add(kind)
        posterior = spoiler.posterior(text)
        assert round(posterior, 3) == expected[kind] if kind in expected else posterior <= 0.012
        assert [sum(1 for _ in outcomes(text)) for outcomes in (spoiler._shift, spoiler._swap)] == [5, 4]
    assert {(0, 2), (1, 1), (1, 2), (0, 3), (1, 3)} <= seen
    for kind, posterior in expected.items():
        product = recipes.KINDS["lazy"] * math.prod(
            (0.2 if place < count else 1 + (size - 1) * recipes.LAZY)
            for size, count, places in ((6, kind[0], 1), (5, kind[1], 3))
            for place in range(places)
        )
        assert f"= {product:.2f} | {posterior:.3f} |" in note(3)
    names = ["leeks", "feta", "leeks"]
    roast, scatter, over = names[1:] + names[:1]
    assert f"1. Roast the {roast}. 2. Scatter the {scatter} over the {over}." in note(3)
    assert script.plot(results)
    plainest = Cookbook().entries["bulb"]["cuts"][0]
    assert f"*2 diced leeks* becomes *2 {plainest} leeks*" in note(3)


def test_note_4_tf_idf_is_that_of_scikit_learn(load_sprint):
    script = load_sprint(f"{SPRINT.name}/tfidf_by_hand.py")
    results = script.main(script.Config())
    bag = load_sprint(f"{SPRINT.name}/text_classification/bag_of_words.py").bag_of_words(1.0, longest=1)
    vectorizer = bag[0].set_params(min_df=1)
    expected = vectorizer.fit_transform(results.texts).toarray()
    assert list(vectorizer.get_feature_names_out()) == results.words
    torch.testing.assert_close(torch.tensor(results.features), torch.from_numpy(expected), check_dtype=False)
    assert f"({results.features[2][0]:.3f}, {results.features[2][1]:.3f}, 0)" in note(4)
    assert f"({shown(*results.features[0][:2])}, 0)" in note(4)
    assert script.plot(results)


def test_note_5_the_first_of_a_random_order_agrees_as_often_as_jaccard_says(load_sprint):
    script = load_sprint(f"{SPRINT.name}/minhash_by_hand.py")
    for first, second in (("abc", "bcd"), ("abc", "ad"), ("ab", "cd"), ("abcde", "ab")):
        results = script.main(script.Config(first=first, second=second))
        assert results.agreeing / results.orders == results.jaccard
    assert script.plot(results)
    assert f"20/60 = {20 / (30 + 50 - 20):.3f}" in note(5)
    assert f"{math.sqrt(0.25 / 128):.3f} for $k = 128$" in note(5)
    assert f"√(0.75 · 0.25 / 128) = {math.sqrt(0.75 * 0.25 / 128):.3f}" in note(5)


def test_note_6_places_and_the_token_that_is_read(load_sprint):
    script = load_sprint(f"{SPRINT.name}/where_padding_stands.py")
    results = script.main(script.Config())
    assert results.positions["left"][0] == [0, 0, 0, 1, 2]
    assert results.last == {"right": [2, 4, 1], "left": [4, 4, 4]}
    assert math.isclose(results.padding, 1 / 3)
    assert (results.masks["left"][0], torch.tensor(results.masks["left"][0]).cumsum(0).sub(1).tolist()) == (
        [0, 0, 1, 1, 1],
        [-1, -1, 0, 1, 2],
    )
    assert "minus one -1 -1 0 1 2" in " ".join(note(6).split())
    uneven = script.main(script.Config(lengths=(10, 10, 10, 90)))
    assert f"{uneven.padding:.3f}" == f"{2 / 3:.3f}"
    assert f"{1 - 120 / (2 * 10 + 2 * 90):.0%}".replace("%", " %") in note(6)
    assert script.plot(results)


def test_note_7_the_calibration_error_and_a_temperature(load_sprint):
    script = load_sprint(f"{SPRINT.name}/calibration_by_hand.py")
    results = script.main(script.Config())
    assert shown(*results.confidence, digits=2) == "0.55, 0.75, 0.95"
    assert f"= {results.error:.3f}. In the" in note(7)
    assert f"{results.error - 0.0125 + (0.45 + 0.55) / 8:.4f}" in note(7)
    assert f"{torch.tensor(2.0).sigmoid():.3f}; with" in note(7)
    assert f"{torch.tensor(1.0).sigmoid():.3f}. Exercise" in note(7)
    assert script.plot(results)


def test_note_8_what_is_trained_is_what_the_model_has(load_sprint):
    from transformers import LlamaConfig, LlamaForSequenceClassification

    from shared.nn import adapters
    from shared.nn.lora import LoRAConfig

    script = load_sprint(f"{SPRINT.name}/what_is_trained.py")
    results = script.main(script.Config())
    classifier = load_sprint(f"{SPRINT.name}/text_classification/gpt_classifier.py")
    size = LlamaConfig(
        vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9,
        num_key_value_heads=3,
    )  # fmt: skip
    size.num_labels = 6
    with torch.device("meta"):
        model = LlamaForSequenceClassification(size)
        assert sum(weight.numel() for weight in model.parameters()) == results.trained["full"]
        layers = adapters.inject(model, LoRAConfig(classifier.LINEAR["llama"], rank=8))
    trained = sum(weight.numel() for layer in layers.values() for weight in layer.parameters() if weight.requires_grad)
    assert trained == results.adapters
    for number in (results.base, results.head, results.adapters, 4 * results.adapters):
        assert f"{number:,}" in note(8)
    assert f"= {100 * math.sqrt(0.25 * 0.75 / 1283):.1f}$ percentage points" in note(8)
    assert script.plot(results)
