"""Sprint 11's claims, at a small size."""

import copy
import math
from collections import Counter, defaultdict
from pathlib import Path
from types import ModuleType
from typing import get_args

import numpy as np
import pytest
import torch
from transformers import (
    GPT2Config,
    GPT2ForSequenceClassification,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
)

from shared.lab.config import parse_config
from shared.nn.pretrained import load_causal_model, load_tokenizer
from shared.text.cookbook import Cookbook
from shared.text.grammar import Choice, derivations
from shared.text.phrases import Phrases
from shared.text.recipe_grammar import Ingredient

SPRINT = "11_finetune_gpt2_classification"
PACKAGE = f"{SPRINT}/text_classification"
SMALL = {"train": 20, "validation": 10, "test": 10}
SIZES = {"train_texts": 24, "validation_texts": 12, "test_texts": 12}
TINY = SIZES | {"batch_size": 8, "longest": 48, "precision": "float32", "device": "cpu"}


@pytest.fixture
def spoiling(load_sprint) -> ModuleType:
    return load_sprint(f"{PACKAGE}/spoiled_recipes.py")


@pytest.fixture
def classifier(load_sprint) -> ModuleType:
    return load_sprint(f"{PACKAGE}/gpt_classifier.py")


@pytest.fixture
def losses(load_sprint) -> ModuleType:
    return load_sprint(f"{PACKAGE}/classification_losses.py")


@pytest.fixture
def training(load_sprint) -> ModuleType:
    return load_sprint(f"{PACKAGE}/classifier_training.py")


@pytest.fixture
def features(load_sprint) -> ModuleType:
    return load_sprint(f"{PACKAGE}/text_features.py")


@pytest.fixture
def batches(load_sprint) -> ModuleType:
    return load_sprint(f"{PACKAGE}/text_batches.py")


@pytest.fixture
def labelled(load_sprint) -> ModuleType:
    return load_sprint(f"{PACKAGE}/labelled_texts.py")


@pytest.fixture
def data(load_sprint) -> ModuleType:
    return load_sprint(f"{PACKAGE}/data_sets.py")


def tiny_cookbook() -> Cookbook:
    """Return a cookbook of a few hundred recipes that can be enumerated."""
    cookbook = Cookbook(dishes=("cake",))
    cookbook.dishes = copy.deepcopy(cookbook.dishes)
    cookbook.dishes["cake"]["roles"] = ["sugar", "flour", "spice", "first", "second"]
    cookbook.dishes["cake"]["steps"] = ["cream", "fold", "stud"]
    cookbook.entries = {
        "sugar": {"amounts": ["50 g"]},
        "flour": {"amounts": ["100 g"]},
        "spice_dark": {"amounts": ["1 tsp", "2 tsp"]},
        "fruit": {"amounts": ["100 g"], "cuts": ["sliced", "ripe"]},
        "nut": {"amounts": ["20 g"], "cuts": ["toasted", "salted", "hot"]},
    }
    items = {
        "sugar": ["honey"], "flour": ["rye flour", "rice flour"], "spice_dark": ["carob", "treacle"],
        "fruit": ["figs", "plums"], "nut": ["pecans"],
    }  # fmt: skip
    cookbook.pantry = {role: [Ingredient(name, name, role, False) for name in names] for role, names in items.items()}
    cookbook.styles = [("dark", "sweet")]
    cookbook.style_choice = Choice(["Dark "])
    cookbook.names, cookbook.name_choices = {"sweet": [("cake", "cake")]}, {"sweet": Choice(["Cake with "])}
    cookbook.servings = Choice(["2", "4"], [1, 2])
    cookbook.steps = {
        "cream": Phrases(["Warm the {sugar}."]),
        "fold": Phrases(["Fold in the {flour&spice}."]),
        "stud": Phrases(["Top with the {first&second}.", "Warm the {first}, then the {second}."]),
    }
    cookbook.tips = Phrases(["Serve the {dish} cold."])
    return cookbook


def enumerate_spoiled(spoiler, genuine: dict[str, float]) -> dict[str, float]:
    """Return the probability of every text that a spoiled recipe can be."""
    spoiled: dict[str, float] = defaultdict(float)
    for text, probability in genuine.items():
        for outcome, share in spoiler.outcomes(text):
            spoiled[outcome] += probability * share
    return spoiled


def test_exact_posteriors_equal_enumeration(spoiling: ModuleType):
    cookbook = tiny_cookbook()
    genuine = {text: math.exp(log_prob) for text, log_prob in derivations(cookbook.write)}
    assert sum(genuine.values()) == pytest.approx(1, abs=1e-12)
    for kinds in (spoiling.KINDS, *({kind: 1.0} for kind in spoiling.KINDS)):
        spoiler = spoiling.Spoiler(cookbook, kinds)
        spoiled = enumerate_spoiled(spoiler, genuine)
        assert sum(spoiled.values()) == pytest.approx(1, abs=1e-12)
        for text in list(genuine)[::29]:
            assert spoiler.ratio(text) == pytest.approx(spoiled.get(text, 0) / genuine[text], rel=1e-9), text
            odds = 0.3 * spoiled.get(text, 0) / (0.7 * genuine[text])
            assert spoiler.posterior(text, prior=0.3) == pytest.approx(odds / (1 + odds), rel=1e-9)
        impossible = set(spoiled) - set(genuine)
        assert bool(impossible) == (kinds != {"lazy": 1.0})
        assert all(spoiler.posterior(text) == 1 for text in sorted(impossible)[::50])


def test_what_happens_to_real_recipes_is_undone_as_probably(spoiling: ModuleType):
    cookbook = Cookbook()
    for index in range(12):
        text = cookbook.recipe("train", index).text
        for kind in spoiling.KINDS:
            spoiler = spoiling.Spoiler(cookbook, {kind: 1.0})
            outcomes = list(spoiler.outcomes(text))
            assert sum(share for _, share in outcomes) == pytest.approx(1)
            for outcome, share in outcomes[::5] if kind != "lazy" else ():
                assert dict(spoiler.outcomes(outcome))[text] == pytest.approx(share)
                assert sorted(outcome) == sorted(text), "no other words than before"
            if kind == "lazy":
                assert all(cookbook.fault(outcome) is None for outcome, _ in outcomes[:20])


def test_what_is_drawn_is_what_the_probabilities_say(spoiling: ModuleType):
    spoiler, generator = spoiling.Spoiler(tiny_cookbook()), torch.Generator().manual_seed(0)
    text = spoiler.cookbook.sample(torch.Generator().manual_seed(3)).text
    expected: dict[str, float] = defaultdict(float)
    for outcome, share in spoiler.outcomes(text):
        expected[outcome] += share
    draws = 3000
    counts = Counter(spoiler.spoil(text, generator) for _ in range(draws))
    assert set(counts) <= set(expected)
    for outcome, share in expected.items():
        assert abs(counts[outcome] - draws * share) < 5 * math.sqrt(draws * share) + 1


def test_the_exact_posterior_is_calibrated(load_sprint):
    script = load_sprint(f"{SPRINT}/optimum.py")
    results = script.main(script.Config(texts=200))
    assert abs(results.accuracy - results.expected_accuracy) < 4 * results.standard_error
    assert 0.94 < results.expected_accuracy < 0.99
    assert results.calibration_error < 0.08
    assert results.kinds["swap"].possible == 0
    assert results.kinds["lazy"].possible == 1
    assert results.kinds["shift"].possible < 0.05
    assert 0.5 < results.kinds["lazy"].caught < 1, "some possible recipes are more probably spoiled than not"
    few = script.Config(texts=16)
    assert script.main(few) == script.main(few), "same seed, same results"


def test_the_whole_cookbook_judges_the_recipes_of_a_part(spoiling: ModuleType):
    part, whole = Cookbook(dishes=("traybake",)), Cookbook()
    for index in range(20):
        text = part.recipe("test", index).text
        expected = spoiling.Spoiler(part).posterior(text)
        assert spoiling.Spoiler(whole).posterior(text) == pytest.approx(expected, rel=1e-9)


def test_the_spoiler_refuses_what_it_cannot_read(spoiling: ModuleType):
    with pytest.raises(ValueError, match="plain voice only; got a cookbook in the voice 'flirty'"):
        spoiling.Spoiler(Cookbook("flirty"))
    with pytest.raises(ValueError, match="probabilities that sum to 1"):
        spoiling.Spoiler(Cookbook(), {"swap": 0.5})
    with pytest.raises(ValueError, match="kinds must be among"):
        spoiling.Spoiler(Cookbook(), {"burn": 1.0})


def test_recipes_are_balanced_disjoint_and_the_same_again(data: ModuleType, labelled: ModuleType, spoiling: ModuleType):
    splits = data.load_splits("recipes", **SMALL)
    assert splits == data.load_splits("recipes", **SMALL)
    assert [sum(part.labels) for part in splits[1:]] == [10, 5, 5]
    texts = [set(part.texts) for part in splits[1:]]
    assert not texts[0] & (texts[1] | texts[2])
    assert not texts[1] & texts[2]
    genuine = splits.train.texts[::2]
    spoiler = spoiling.Spoiler(Cookbook())
    for before, after in zip(genuine, splits.train.texts[1::2], strict=True):
        assert after in dict(spoiler.outcomes(before)), "the spoiled one of a pair was the other"
    apart = data.load_splits("recipes", **SMALL, pairs=False)
    assert apart.test == splits.test
    assert len({text.partition("Method")[0] for text in apart.train.texts}) == 20
    assert len({text.partition("Ingredients")[0][:-3] for text in splits.train.texts}) <= 10
    other = data.load_splits("recipes", **SMALL, seed=1)
    assert other.test == splits.test
    assert not set(other.train.texts) & set(splits.train.texts)
    with pytest.raises(ValueError, match="data must be one of recipes, liar, fake-news; got 'poems'"):
        data.load_splits("poems")
    with pytest.raises(ValueError, match="2 texts and 1 labels"):
        labelled.LabelledTexts(["a", "b"], [0])


LIAR = (
    '1.json\tfalse\tSays "taxes rose.\ttaxes\tann\t\t\tnone\t0\t1\t0\t0\t2\t\n'
    "2.json\ttrue\tIt rains.\t\tbob\t\t\tnone\t0\t0\t0\t0\t0\t\n"
)


@pytest.fixture
def liar_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "liar"
    folder.mkdir()
    for split in ("train", "valid", "test"):
        (folder / f"{split}.tsv").write_text(LIAR, encoding="utf-8")
    monkeypatch.setenv("SPRINTS_DATA", str(tmp_path))
    return folder


@pytest.mark.usefixtures("liar_folder")
def test_liar_is_read_by_its_official_columns(load_sprint, data: ModuleType, labelled: ModuleType):
    liar, splits = load_sprint(f"{PACKAGE}/liar.py"), data.load_splits("liar")
    assert splits.classes == liar.LIAR_CLASSES
    assert splits.train == labelled.LabelledTexts(['Says "taxes rose.', "It rains."], [1, 5])
    assert liar.speaker_counts("test") == ([[2, 1, 0, 0, 0], [0, 0, 0, 0, 0]], [1, 5])


@pytest.mark.usefixtures("liar_folder")
def test_liar_as_people_save_it_is_read(load_sprint, liar_folder: Path):
    liar = load_sprint(f"{PACKAGE}/liar.py")
    saved = LIAR.replace("\ttrue", "\tTRUE ").replace("\n", "\r\n") + "\r\n"
    (liar_folder / "test.tsv").write_bytes("\ufeff".encode() + saved.encode())
    assert liar.liar_lines("test")[0].columns[0] == "1.json"
    assert liar.liar_statements("test") == liar.liar_statements("train")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id\tlabel\tstatement\n", r"test\.tsv, line 1: the second column must be one of pants-fire.*got 'label'"),
        (f"{LIAR}3.json\tfalse\n", r"line 3: there must be a label and a statement"),
        (f"{LIAR}3.json\tfalse\t \tx\n", r"line 3: there must be a label and a statement"),
        ("1.json\ttrue\tIt rains.\n", r"line 1: column 13 counts .* that are pants-fire; got 'no such column'"),
        (LIAR.replace("\t0\t1\t0", "\t0\tmany\t0"), r"line 1: column 10 counts .* that are false; got 'many'"),
        (LIAR.replace("\t0\t1\t0", "\t0\tinf\t0"), r"line 1: column 10 counts .* got 'inf'"),
        (b"\x89PNG\r\n\x1a\n\x00", r"test\.tsv is no table of LIAR \(.*\): get it again"),
        (b"1.json\ttrue\t" + b"x" * 200_000, r"test\.tsv is no table of LIAR \(field larger"),
        ("\n", r"test\.tsv is empty: get it again"),
    ],
)
def test_junk_of_liar_is_refused_by_line(load_sprint, liar_folder: Path, content, message):
    liar = load_sprint(f"{PACKAGE}/liar.py")
    (liar_folder / "test.tsv").write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ValueError, match=message):
        liar.speaker_counts("test")


def write_news(path: Path, rows: int = 60) -> None:
    lines = ["id\ttitle\ttext\tsubject\tdate\tlabel"]
    for index in range(rows):
        lines.append(
            f"{index}\tHeadline {index}\tSome {'plain' if index % 3 else 'odd'} story.\tnews\t\t{int(index % 3 > 0)}"
        )
    lines += [
        "97\t\t\tnews\t\t1",
        "98\tHeadline 0\tSome odd story.\tnews\t\t0",
        "99\tHeadline 1\tSome plain story.\tnews\t\t0",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_news_come_from_a_folder_cleaned_and_stratified(
    load_sprint, data: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    folder = tmp_path / "news"
    folder.mkdir()
    write_news(folder / "train.tsv")
    splits = data.load_splits("fake-news", source=str(folder))
    assert "dropped: 1 without a word, 1 copies, 1 copies with another label" in capsys.readouterr().out
    assert [len(part) for part in splits[1:]] == [48, 6, 6]
    assert [sum(part.labels) for part in splits[1:]] == [32, 4, 4], "two of three are real in every part"
    assert len({text for part in splits[1:] for text in part.texts}) == 60
    assert "Headline 3\nSome odd story." in [text for part in splits[1:] for text in part.texts]
    with pytest.raises(ValueError, match=r"cannot load .*name a data set of the hub when there is a network"):
        data.news(str(tmp_path / "nowhere"))
    train = load_sprint(f"{SPRINT}/train.py")
    config = train.Config(data="fake-news", source=str(folder), longest=16, seeds=1, evaluations=1, out=tmp_path)
    results = train.main(config)
    assert results.classes == ["fake", "real"]
    assert results.optimum is None
    assert (tmp_path / "classifier" / "config.json").is_file()
    (folder / "train.tsv").write_text("title\tlabel\nA\t1\n")
    with pytest.raises(ValueError, match="lacks text"):
        data.news(str(folder))


def test_bad_news_are_refused(load_sprint, labelled: ModuleType):
    articles = load_sprint(f"{PACKAGE}/news_articles.py")
    with pytest.raises(ValueError, match=r"a label of the news is 0 \(fake\) or 1 \(real\); got 2 for 'a"):
        articles.clean([("a", "b", 2)])
    with pytest.raises(ValueError, match=r"got 0\.5 for 'a"):
        articles.clean([("a", "b", 0.5)])
    missing = [("c", "d", None), ("e", "f", float("nan")), ("g", "h", "NA"), (None, "nan", 1)]
    cleaned = articles.clean([("a", None, 1), (None, " b ", "0"), (2017, "b", 1.0), *missing])
    assert cleaned == labelled.LabelledTexts(["a", "b", "2017\nb"], [1, 0, 1])
    with pytest.raises(ValueError, match="there is no article with a label"):
        articles.clean(missing)
    with pytest.raises(ValueError, match="the smallest has 1"):
        labelled.split_in_three(labelled.LabelledTexts(["a"] * 11, [0] * 10 + [1]), ("fake", "real"))


def test_the_head_reads_the_last_real_token(
    classifier: ModuleType, losses: ModuleType, batches: ModuleType, features: ModuleType
):
    torch.manual_seed(0)
    model, tokenizer = classifier.load_classifier("cookbook", ("a", "b", "c"))
    assert isinstance(model, GPT2ForSequenceClassification)
    assert classifier.class_names(model) == ("a", "b", "c")
    rows = batches.encode(tokenizer, ["Heat the oil.", "Serves 4", "Soup"], 32)
    batch = batches.pad([(row, 0) for row in rows], tokenizer)
    model.eval()
    with torch.no_grad():
        logits = losses.class_logits(model, batch)
        for row, got in zip(rows, logits, strict=True):
            last = model.transformer(torch.tensor([row])).last_hidden_state[0, -1]
            torch.testing.assert_close(got, model.score(last), rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(model.score(features.head_input(model, batch)), logits, rtol=1e-5, atol=1e-5)
    loss, count = losses.classification_loss(model, batch)
    assert count == 3
    theirs = model(batch.tokens, attention_mask=batch.attention_mask, labels=batch.labels).loss
    assert loss.item() / 3 == pytest.approx(theirs.item(), rel=1e-5)


def test_every_token_is_asked_with_growing_weight(
    classifier: ModuleType, losses: ModuleType, training: ModuleType, batches: ModuleType, labelled: ModuleType
):
    torch.manual_seed(0)
    model, tokenizer = classifier.load_classifier("cookbook", ("a", "b"))
    rows = batches.encode(tokenizer, ["Heat the oil.", "Soup"], 32)
    expected = 0.0
    for row, label in zip(rows, (1, 0), strict=True):
        logits = model.score(model.transformer(torch.tensor([row])).last_hidden_state)[0]
        nats = -logits.log_softmax(-1)[:, label]
        expected += sum((place + 1) * loss.item() for place, loss in enumerate(nats)) / sum(range(1, len(row) + 1))
    loss, count = losses.every_token_loss(model, batches.pad(list(zip(rows, (1, 0), strict=True)), tokenizer))
    assert (loss.item(), count) == (pytest.approx(expected, rel=1e-5), 2)
    loader = batches.make_loader(labelled.LabelledTexts(["Soup", "Cake"], [0, 1]), tokenizer, 8, 2)
    with pytest.raises(ValueError, match="supervise must be one of last, every; got 'first'"):
        next(training.fine_tune(model, loader, loader, epochs=1, learning_rate=0.1, evaluations=1, supervise="first"))


def test_batches_hold_every_text_once_and_predictions_keep_the_order(
    classifier: ModuleType, features: ModuleType, batches: ModuleType, labelled: ModuleType
):
    torch.manual_seed(0)
    model, tokenizer = classifier.load_classifier("cookbook", ("a", "b"))
    texts = labelled.LabelledTexts(
        [" ".join(["salt"] * (1 + 7 * index % 11)) + f" {index}" for index in range(11)], [0, 1] * 5 + [0]
    )
    generator = torch.Generator().manual_seed(0)
    shuffled = batches.make_loader(texts, tokenizer, 32, 4, generator)
    indices = [sorted(index for batch in shuffled.batch_sampler for index in batch) for _ in range(2)]
    assert indices == [list(range(11))] * 2
    assert len(shuffled) == 3
    even = labelled.LabelledTexts(texts.texts[:10], texts.labels[:10])
    pairs = batches.make_loader(even, tokenizer, 32, 4, generator, together=2)
    indices = [index for batch in pairs.batch_sampler for index in batch]
    assert sorted(indices) == list(range(10))
    pairs_of_rows = zip(indices[::2], indices[1::2], strict=True)
    assert all(first % 2 == 0 and second == first + 1 for first, second in pairs_of_rows)
    assert [len(batch.labels) for batch in pairs].count(4) == 2
    with pytest.raises(ValueError, match="whole groups of 2; got 11 rows in batches of 4: choose multiples"):
        batches.make_loader(texts, tokenizer, 32, 4, generator, together=2)
    ordered = batches.make_loader(texts, tokenizer, 32, 4)
    lengths = [int(batch.attention_mask.sum(1).max()) for batch in ordered]
    assert lengths == sorted(lengths)
    log_probabilities, labels = features.predict(model, ordered, "float32")
    assert labels.tolist() == texts.labels
    shuffled_too, labels = features.predict(model, shuffled, "float32")
    assert labels.tolist() == texts.labels
    torch.testing.assert_close(shuffled_too, log_probabilities, rtol=1e-4, atol=1e-5)
    for index in (0, 5, 10):
        single = batches.make_loader(labelled.LabelledTexts(texts.texts[index : index + 1], [0]), tokenizer, 32, 1)
        alone, _ = features.predict(model, single, "float32")
        torch.testing.assert_close(log_probabilities[index], alone[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("init", "moving"), [("pretrained", None), ("frozen", {"score.weight"})])
def test_fine_tuning_learns_and_moves_what_it_should(
    classifier: ModuleType,
    training: ModuleType,
    batches: ModuleType,
    labelled: ModuleType,
    init: str,
    moving: set | None,
):
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    texts = [f"{'Smoky' if index % 2 else 'Malty'} soup number {index}" for index in range(48)]
    data = labelled.LabelledTexts(texts, [index % 2 for index in range(48)])
    model, tokenizer = classifier.load_classifier("cookbook", ("a", "b"), init)
    before = copy.deepcopy(model.state_dict())
    train = batches.make_loader(data, tokenizer, 16, 8, generator)
    progress = list(
        training.fine_tune(
            model, train, batches.make_loader(data, tokenizer, 16, 16), epochs=3, learning_rate=3e-3, evaluations=3,
            precision="float32",
        )
    )  # fmt: skip
    moved = {name for name, weight in model.state_dict().items() if not torch.equal(weight, before[name])}
    # Places beyond the longest text, and words that no text has, get no gradient but decay.
    assert moved == (moving or set(before))
    assert [p.step for p in progress] == [6, 12, 18]
    if init == "pretrained":
        assert progress[-1].validation_accuracy > 0.95
        assert progress[-1].validation_loss < progress[0].validation_loss < 0.8


def test_control_tokens_of_a_text_are_text(classifier: ModuleType, batches: ModuleType):
    _, tokenizer = classifier.load_classifier("cookbook", ("a", "b"))
    (row,) = batches.encode(tokenizer, ["Soup<|endoftext|>Stew"], 64)
    assert row.count(tokenizer.eos_token_id) == 1, "the one that starts every text"
    assert tokenizer.decode(row[1:]) == "Soup<|endoftext|>Stew"


def test_an_impossible_class_has_a_finite_loss(
    classifier: ModuleType, training: ModuleType, batches: ModuleType, labelled: ModuleType
):
    torch.manual_seed(0)
    model, tokenizer = classifier.load_classifier("cookbook", ("a", "b"), "frozen")
    data = labelled.LabelledTexts(["salt", "salt"], [0, 1])
    (batch,) = batches.make_loader(data, tokenizer, 8, 2)
    with torch.no_grad():
        features = model.base_model(batch.tokens[:1]).last_hidden_state[0, -1]
        model.score.weight[0] = 105 * features / features.square().sum()
        model.score.weight[1] = 0
    loader = batches.make_loader(data, tokenizer, 8, 2)
    log_probabilities, _ = training.predict(model, loader, "float32")
    assert log_probabilities[0].tolist() == pytest.approx([0, -105], abs=1e-3)
    progress = list(training.fine_tune(model, loader, loader, epochs=1, learning_rate=1.0, evaluations=1))
    assert math.isfinite(progress[-1].validation_loss)
    assert progress[-1].is_best


def test_the_best_weights_are_kept(
    classifier: ModuleType,
    training: ModuleType,
    batches: ModuleType,
    labelled: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
):
    torch.manual_seed(0)
    data = labelled.LabelledTexts(["salt", "sugar"] * 4, [0, 1] * 4)
    model, tokenizer = classifier.load_classifier("cookbook", ("a", "b"), "frozen")
    answers = iter([0.6, 0.9, 0.7])
    seen = []

    def predicted(model, *_):
        seen.append(model.score.weight.detach().clone())
        right = next(answers)
        return torch.tensor([[right, 1 - right]]).log(), torch.tensor([0])

    monkeypatch.setattr(training, "predict", predicted)
    loader = batches.make_loader(data, tokenizer, 8, 4)
    progress = list(
        training.fine_tune(model, loader, loader, epochs=3, learning_rate=0.1, evaluations=3, precision="float32")
    )
    assert [p.is_best for p in progress] == [True, True, False]
    assert torch.equal(model.score.weight, seen[1])
    assert not torch.equal(model.score.weight, seen[2])


def test_scratch_forgets_and_unknown_inits_are_refused(classifier: ModuleType):
    torch.manual_seed(0)
    trained, _ = classifier.load_classifier("cookbook", ("a", "b"))
    fresh, _ = classifier.load_classifier("cookbook", ("a", "b"), "scratch")
    assert fresh.config.n_layer == trained.config.n_layer
    assert not torch.equal(fresh.transformer.wte.weight, trained.transformer.wte.weight)
    assert fresh.transformer.wte.weight.std().item() == pytest.approx(0.02, rel=0.05)
    with pytest.raises(ValueError, match="lora, frozen, scratch; got 'warm'"):
        classifier.load_classifier("cookbook", ("a", "b"), "warm")
    with pytest.raises(ValueError, match=r"there is no classifier in /nowhere: make it by uv run .*train\.py"):
        classifier.load_saved("/nowhere")


def test_classifiers_are_loaded_as_they_were_written_or_refused(classifier: ModuleType, tmp_path: Path):
    torch.manual_seed(0)
    model, tokenizer = classifier.load_classifier("cookbook", ("a", "b"))
    folder = tmp_path / "classifier"
    classifier.save_classifier(model, tokenizer, folder)
    again, _ = classifier.load_saved(str(folder))
    assert torch.equal(again.score.weight, model.score.weight)
    other, _ = classifier.load_classifier(str(folder), ("a", "b", "c"))
    assert other.score.weight.shape[0] == 3, "a new head on the body of another classifier"
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ValueError, match=r"model\.safetensors is not as it was written"):
        classifier.load_saved(str(folder))
    load_causal_model("cookbook")[0].save_pretrained(tmp_path / "headless")
    tokenizer.save_pretrained(tmp_path / "headless")
    with pytest.raises(ValueError, match=r"lacks score\.weight"):
        classifier.load_saved(str(tmp_path / "headless"))


@pytest.mark.parametrize(
    ("script", "words", "message"),
    [
        ("train", "--train-texts 25", "whole groups of 2; got 25 rows in batches of 16"),
        ("baselines", "--batch-size 3", "whole groups of 2; got 8000 rows in batches of 3"),
        ("train", "--dishes soup soup", "--dishes: the values must differ"),
        ("predict", "--text a --file README.md", "got --text and --file"),
        ("predict", "--text=", "--text is empty"),
        ("who_is_asked", "--probabilities 0 1", "must lie between 0 and 1"),
        ("who_is_asked", "--probabilities .5 .5 .5 .5 .5 .5", "the text has 5 tokens; got 6"),
        ("minhash_by_hand", "--first abcdefgh", "at most 7 different ones together"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(load_sprint, capsys, script, words, message):
    loaded = load_sprint(f"{SPRINT}/{script}.py")
    with pytest.raises(SystemExit, match="2"):
        parse_config(loaded.Config, words.split())
    assert message in capsys.readouterr().err
    unpaired = parse_config(load_sprint(f"{SPRINT}/train.py").Config, ["--no-pairs", "--train-texts", "25"])
    assert unpaired.train_texts == 25


def test_all_kinds_of_dish_can_be_named(spoiling: ModuleType):
    assert set(get_args(spoiling.Dish)) == set(Cookbook().dishes)


def test_classes_that_training_does_not_show_are_refused(labelled: ModuleType):
    two, three = labelled.LabelledTexts(["a", "b"], [0, 1]), labelled.LabelledTexts(["c"], [2])
    labelled.check_classes(labelled.LabelledSplits(("x", "y", "z"), two, two, two))
    for train, test, message in ((two, three, r"got x, y, and .* z: take more"), (three, three, r"got z, and .* none")):
        with pytest.raises(ValueError, match=message):
            labelled.check_classes(labelled.LabelledSplits(("x", "y", "z"), train, train, test))


def test_a_classifier_of_other_classes_judges_no_recipes(load_sprint, classifier: ModuleType, tmp_path: Path):
    torch.manual_seed(0)
    classifier.save_classifier(*classifier.load_classifier("cookbook", ("fake", "real")), tmp_path / "news")
    script = load_sprint(f"{SPRINT}/wrong_padding.py")
    with pytest.raises(ValueError, match=r"must be genuine, spoiled; those of .* are fake, real"):
        script.main(script.Config(model=str(tmp_path / "news"), device="cpu"))


def test_scores_by_hand(load_sprint):
    scores = load_sprint(f"{PACKAGE}/classification_scores.py")
    probabilities = torch.tensor([[0.9, 0.1], [0.75, 0.25], [0.3, 0.7], [0.65, 0.35]])
    labels = torch.tensor([0, 1, 1, 0])
    got = scores.score(probabilities.double().log(), labels)
    assert got.accuracy == 0.75
    assert got.confusion == [[2, 0], [1, 1]]
    assert got.precision == pytest.approx([2 / 3, 1])
    assert got.recall == pytest.approx([1, 0.5])
    assert got.loss == pytest.approx(-np.log([0.9, 0.25, 0.7, 0.65]).mean(), rel=1e-6)
    # Bins (0.6, 0.7]: two right at 0.675; (0.7, 0.8]: one wrong at 0.75; (0.8, 0.9]: one right at 0.9.
    assert got.reliability["count"] == [2, 1, 1]
    assert got.reliability["accuracy"] == [1, 0, 1]
    assert got.calibration_error == pytest.approx(0.5 * 0.325 + 0.25 * 0.75 + 0.25 * 0.1, rel=1e-5)
    posterior = torch.tensor([[0.8, 0.2], [0.0, 1.0], [0.3, 0.7], [0.9, 0.1]])
    assert scores.right_by_evidence(probabilities, posterior, torch.tensor([0, 1, 1, 0])) == {
        "genuine": 1.0, "impossible": 0.0, "possible": 1.0
    }  # fmt: skip
    assert scores.spread([0.5]) == (0.5, 0.0)
    assert scores.spread([0.4, 0.6]) == pytest.approx((0.5, 0.2**0.5 / 10**0.5))


def test_training_saves_a_model_that_predicts_the_same(load_sprint, tmp_path: Path):
    train, predict = (load_sprint(f"{SPRINT}/{name}.py") for name in ("train", "predict"))
    config = train.Config(**TINY, seeds=2, evaluations=2, out=tmp_path)
    results = train.main(config)
    assert len(results.accuracies) == 2
    assert results.mean == pytest.approx(sum(results.accuracies) / 2)
    assert results.below_optimum == pytest.approx(results.optimum.accuracy - results.mean)
    assert results.optimum.right["impossible"] == 1
    assert set(results.right) == {"genuine", "impossible", "possible"}
    assert results.sizes == {"train": 24, "validation": 12, "test": 12}
    assert results.test.accuracy == results.accuracies[0]
    assert sum(map(sum, results.test.confusion)) == 12
    assert train.main(config) == results, "same seed, same results"
    assert train.plot(results)
    saved = str(tmp_path / "classifier")
    asked = predict.main(predict.Config(model=saved, device="cpu"))
    assert asked.faults[0] is None
    assert asked.exact[0] < 0.5
    assert all(sum(p.values()) == pytest.approx(1, abs=1e-5) for p in asked.probabilities)
    (tmp_path / "soup.txt").write_text("Add salt.")
    other = predict.main(predict.Config(model=saved, file=tmp_path / "soup.txt", device="cpu"))
    assert other.exact == [1.0]
    assert "style" in other.faults[0]
    (tmp_path / "empty.txt").write_bytes("\ufeff\n".encode())
    (tmp_path / "picture.txt").write_bytes(b"\x89PNG")
    for bad, message in (
        ({"file": tmp_path / "empty.txt"}, "empty.txt is empty"),
        ({"file": tmp_path / "picture.txt"}, "cannot read"),
        ({"model": str(tmp_path)}, "make it by uv run"),
    ):
        with pytest.raises(ValueError, match=message):
            predict.main(predict.Config(**{"model": saved, **bad}))
    padding = load_sprint(f"{SPRINT}/wrong_padding.py")
    results = padding.main(padding.Config(model=saved, texts=12, batch_size=6, device="cpu"))
    harmless = ("right, with mask", "right, without mask", "left, with mask and positions")
    for name, case in results.cases.items():
        assert (case.largest_difference < 1e-4) == (name in harmless), name
    assert results.cases["right, with mask"].accuracy == results.alone
    assert "no padding token is defined" in results.without_pad_id


def test_baselines_share_the_split_and_leave_the_optimum_above(load_sprint):
    script = load_sprint(f"{SPRINT}/baselines.py")
    results = script.main(script.Config(**TINY))
    assert results.accuracies["majority"] == 0.5
    names = ["majority", "words", "words and pairs", "frozen features", "surprise", "from scratch"]
    assert list(results.accuracies) == names
    assert all(loss > results.optimum.loss + 0.1 for loss in results.losses.values()), "24 recipes teach little"
    assert results.losses["majority"] == pytest.approx(math.log(2))
    assert script.main(script.Config(**TINY)) == results, "same seed, same results"


def test_surprise_is_the_language_models_loss(features: ModuleType, batches: ModuleType, labelled: ModuleType):
    model, tokenizer = load_causal_model("cookbook")
    text = Cookbook().recipe("test", 0).text
    data = labelled.LabelledTexts([text, "Soup", text.replace("Serves", "Boil")], [0, 0, 1])
    surprises, _ = features.read_all(model, batches.make_loader(data, tokenizer, 256, 3), "float32", features.surprise)
    ids = torch.tensor([[0, *tokenizer(text)["input_ids"]]])
    loss = model(ids, labels=ids).loss.item()  # transformers shifts inside
    assert surprises.shape == (3, 7)
    assert surprises[0, 1].item() == pytest.approx(loss, rel=1e-4)
    assert surprises[0, 0].item() == pytest.approx(loss * (ids.shape[1] - 1), rel=1e-4)
    assert surprises[2, 2] > surprises[0, 2] + 3, "the impossible word is the most surprising"


def test_the_strength_of_a_penalty_is_chosen_on_the_validation_part(load_sprint):
    bag = load_sprint(f"{PACKAGE}/bag_of_words.py")

    class Guess:
        """Gives class 0 the probability of its penalty, or 0.9 if that is more."""

        def __init__(self, penalty: float) -> None:
            self.penalty = penalty

        def fit(self, _inputs, labels):
            self.classes_ = np.unique(labels)
            return self

        def predict_proba(self, inputs):
            share = min(self.penalty, 0.9)
            return np.tile([share, 1 - share], (len(inputs), 1))

    train = ([0] * 4, [0, 0, 0, 1])
    for validation, best in (([0, 1, 1, 1, 1, 1, 1, 1, 1, 1], 0.1), ([0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 1.0)):
        model, penalty = bag.choose_penalty(Guess, train, ([0] * 10, validation))
        assert (penalty, model.penalty) == (best, best)


def test_pairs_see_where_a_step_stands(spoiling: ModuleType, load_sprint):
    recipes = spoiling.labelled_recipes("train", 1000)
    vectorizer, regression = (
        load_sprint(f"{PACKAGE}/bag_of_words.py").bag_of_words(100.0).fit(recipes.texts, recipes.labels)
    )
    words = vectorizer.get_feature_names_out()
    heaviest = [words[index] for index in np.argsort(-np.abs(regression.coef_[0]))[:100]]
    assert sum(any(letter.isdigit() for letter in pair) for pair in heaviest) > 40


def test_similar_lengths_leave_the_least_padding(load_sprint):
    script = load_sprint(f"{SPRINT}/dynamic_padding.py")
    results = script.main(script.Config(texts=16, batch_size=4, rounds=1, device="cpu"))
    whole, random, similar = results.padding.values()
    assert whole > random > similar
    assert whole == pytest.approx(1 - results.mean_length / 256)


def test_minhash_estimates_jaccard(load_sprint):
    near = load_sprint(f"{PACKAGE}/near_duplicates.py")
    assert near.shingles("Ab  CDE f") == {"ab cd", "b cde", " cde ", "cde f"}
    assert near.jaccard("abcdef", "abcdeg") == pytest.approx(1 / 3)
    texts = [Cookbook().recipe("test", index).text for index in range(6)]
    rows = near.signatures(texts, orders=2048)
    for first in range(6):
        for second in range(first):
            exact = near.jaccard(texts[first], texts[second])
            # 2048 orders: the standard error is at most 0.011.
            assert (rows[first] == rows[second]).mean() == pytest.approx(exact, abs=0.045)
    similarities, closest = near.nearest([texts[2], "xyzzy"], texts)
    assert closest[0] == 2
    assert similarities.tolist() == [1.0, 0.0]


def test_a_dateline_decides_and_its_removal_undoes_it(load_sprint):
    script = load_sprint(f"{SPRINT}/leak_report.py")
    tiny = {"train_texts": 300, "held_out": 200, "queries": 10, "gain": 0.2}
    clean, leaky = (script.main(script.Config(data=data, **tiny)) for data in ("recipes", "dateline"))
    assert clean.exact_duplicates == clean.near_duplicates == 0
    assert {"kitchen", "wire", "london"} <= set(leaky.removed)
    assert leaky.accuracy > clean.accuracy + 0.2
    assert leaky.words[0].test_accuracy == pytest.approx(0.995), "one genuine recipe of a hundred has no dateline"
    assert clean.accuracy < 0.65
    assert leaky.accuracy_without < 0.65
    assert script.plot(leaky)


def test_copies_and_statements_that_count_themselves_are_found(load_sprint, liar_folder: Path):
    script = load_sprint(f"{SPRINT}/leak_report.py")
    counted = {"false": "0\t1\t0\t0\t0", "half-true": "0\t0\t1\t0\t0", "true": "0\t0\t0\t0\t0"}
    rows = [
        f"{index}.json\t{label}\tStatement {index} on {topic} matters.\t\tann\t\t\tnone\t{counted[label]}\t\n"
        for index, (label, topic) in enumerate(zip([*counted] * 8, ["taxes", "jobs", "rain"] * 8, strict=True))
    ]
    for split in ("train", "valid", "test"):
        (liar_folder / f"{split}.tsv").write_text("".join(rows), encoding="utf-8")
    results = script.main(script.Config(data="liar", queries=10))
    assert results.exact_duplicates == 24
    assert results.near_duplicates == 10
    assert results.most_similar_exactly == 1
    columns = load_sprint(f"{SPRINT}/speaker_counts.py")
    counts = columns.main(columns.Config())
    assert counts.accuracy == 1
    assert counts.once_counted == 16
    assert counts.once_counted_accuracy == 1
    assert counts.without_the_statement == pytest.approx(1 / 3)


@pytest.fixture(params=["gpt2", "llama"])
def real_folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a folder with a tiny random model of a family and a tokenizer whose end is not what began its texts."""
    torch.manual_seed(0)
    tokenizer = load_tokenizer("cookbook")
    words = len(tokenizer)
    if request.param == "gpt2":
        model = GPT2LMHeadModel(GPT2Config(vocab_size=words, n_positions=64, n_embd=16, n_layer=2, n_head=2))
    else:
        size = LlamaConfig(
            vocab_size=words, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
            num_key_value_heads=1, max_position_embeddings=64, tie_word_embeddings=True,
        )  # fmt: skip
        model = LlamaForCausalLM(size)
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_both_families_are_trained_in_every_way(load_sprint, classifier: ModuleType, real_folder: Path, tmp_path: Path):
    train = load_sprint(f"{SPRINT}/train.py")
    tiny = TINY | {"model": str(real_folder), "evaluations": 1, "longest": 16, "out": tmp_path / "run"}
    for init in ("lora", "frozen", "pretrained"):
        results = train.main(train.Config(**tiny, init=init))
        assert math.isfinite(results.losses[0])
    saved, _ = classifier.load_saved(str(tmp_path / "run" / "classifier"))
    assert isinstance(saved, GPT2ForSequenceClassification | LlamaForSequenceClassification)
    predict = load_sprint(f"{SPRINT}/predict.py")
    asked = predict.main(predict.Config(model=str(tmp_path / "run" / "classifier"), text="Add salt.", device="cpu"))
    assert sum(asked.probabilities[0].values()) == pytest.approx(1)


def test_adapters_train_with_the_head_alone_and_are_merged(
    classifier: ModuleType, training: ModuleType, batches: ModuleType, labelled: ModuleType, real_folder: Path
):
    torch.manual_seed(0)
    model, tokenizer = classifier.load_classifier(str(real_folder), ("a", "b"))
    before = copy.deepcopy(model.state_dict())
    classifier.add_adapters(model, 2)
    data = labelled.LabelledTexts(["salt", "sugar"] * 4, [0, 1] * 4)
    loader = batches.make_loader(data, tokenizer, 8, 4)
    list(training.fine_tune(model, loader, loader, epochs=3, learning_rate=0.1, evaluations=1, precision="float32"))
    expected, _ = training.predict(model, loader, "float32")
    classifier.merge_adapters(model)
    merged, _ = training.predict(model, loader, "float32")
    torch.testing.assert_close(merged, expected, rtol=1e-4, atol=1e-5)
    after = model.state_dict()
    assert set(after) == set(before), "an ordinary classifier again"
    moved = {name for name, weight in after.items() if not torch.equal(weight, before[name])}
    family = classifier.LINEAR[model.config.model_type]
    assert moved == {"score.weight"} | {name for name in before if name.removesuffix(".weight").endswith(family)}


def test_left_padding_moves_learned_places_and_no_rotary_ones(load_sprint, classifier: ModuleType, real_folder: Path):
    padding = load_sprint(f"{SPRINT}/wrong_padding.py")
    torch.manual_seed(0)
    model, tokenizer = classifier.load_classifier(str(real_folder), ("a", "b"))
    with torch.no_grad():  # so that what differs can be seen
        for weight in model.parameters():
            weight.mul_(3) if weight.dim() > 1 else None
    rows, end = [[0, 5, 6, 7], [0, 9]], tokenizer.pad_token_id
    model.eval()
    alone = padding.logits_of(model, rows, 1, padding.PaddingWay("right", 0, 0))
    differences = {}
    for positions in (False, True):
        way = padding.PaddingWay("left", end, end, positions=positions)
        differences[positions] = (padding.logits_of(model, rows, 2, way) - alone).abs().max().item()
    assert differences[True] < 1e-4
    assert (differences[False] < 1e-4) == (model.config.model_type == "llama")


class ModelOfSize:
    """Says how many weights it has, which is all that rates depend on."""

    def __init__(self, weights: int) -> None:
        self.weights = weights

    def num_parameters(self) -> int:
        return self.weights


def test_rates_fit_the_size_of_a_model_and_what_would_wreck_it_is_refused(load_sprint):
    rates = load_sprint(f"{PACKAGE}/learning_rates.py")
    small, real = ModelOfSize(2_000_000), ModelOfSize(134_515_008)
    assert rates.choose_rates(small, "pretrained") == (2e-3, 0.02)
    assert rates.choose_rates(small, "pretrained", 1e-3, 0.01) == (1e-3, 0.01)
    assert rates.choose_rates(real, "pretrained") == (3e-5, 0)
    assert rates.choose_rates(real, "lora", 1e-2).learning_rate == 1e-2
    for given in ((2e-3, None), (None, 0.02)):
        with pytest.raises(
            ValueError, match=r"134,515,008 pre-trained weights bear at most 0\.0003 of AdamW and no Muon"
        ):
            rates.choose_rates(real, "pretrained", *given)
    with pytest.raises(ValueError, match="leave the rates out"):
        rates.choose_rates(real, "pretrained", 2e-3)


def test_a_chat_model_ends_messages_by_another_token_than_texts_began_with(batches: ModuleType):
    tokenizer = load_tokenizer("cookbook")
    first = batches.first_token(tokenizer)
    tokenizer.eos_token = tokenizer.convert_ids_to_tokens(7)
    assert tokenizer.eos_token_id == 7
    assert batches.encode(tokenizer, ["Soup"], 8)[0][0] == first == 0


def test_the_loss_of_class_shares_is_their_entropy(load_sprint):
    figures = load_sprint(f"{PACKAGE}/classification_figures.py")
    assert figures.class_shares([[0, 1], [1, 0], [0, 0]])[0] == pytest.approx(math.log(2))
    assert figures.class_shares([[1, 2], [1, 0]])[0] == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
