"""Sprint 12's attempts to come closer to the optimum, at a tiny size."""

import inspect
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from shared.nn.gpt import GPT, GPTConfig
from shared.text.cookbook import Cookbook
from shared.text.tokenizers import encode_documents
from shared.training.losses import evaluate_loss

FOLDER = "12_finetune_gpt2_generative"


def part(load_sprint, name: str) -> ModuleType:
    return load_sprint(f"{FOLDER}/book_finetuning/{name}.py")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book of four chapters of one recipe each, in the second voice."""
    path = tmp_path_factory.mktemp("book") / "small.txt"
    scenes = [Cookbook("flirty").recipe("train", index).text for index in range(4)]
    path.write_text("\n\n".join(f"Chapter {n}\n\n{scene}" for n, scene in enumerate(scenes)), encoding="utf-8")
    return path


def tiny() -> GPT:
    torch.manual_seed(0)
    return GPT(GPTConfig(vocab_size=12, context=8, d_model=8, layers=1, heads=2)).eval()


def test_probabilities_of_targets_are_those_of_the_loss(load_sprint):
    mixtures, model, documents = part(load_sprint, "mixtures"), tiny(), [[1, 2, 3, 4], [5, 6, 7, 8, 9, 10, 11, 1, 2, 3]]
    found = mixtures.target_probabilities(model, documents, rows=2)
    loss, targets = evaluate_loss(model, mixtures.TextDataset(documents, 7).batches(2))
    assert len(found) == targets == 12
    assert -np.log(found).mean() == pytest.approx(loss, rel=1e-5)


def test_a_cache_expects_what_was_just_said(load_sprint):
    cache = part(load_sprint, "mixtures").cache_probabilities([[0, 1, 1, 0]], vocab_size=2)
    assert cache.tolist() == pytest.approx([0.5 / 2, 1.5 / 3, 1.5 / 4])


def test_weights_of_a_mixture_are_the_best_ones(load_sprint):
    mixtures, generator = part(load_sprint, "mixtures"), np.random.default_rng(0)
    parts = generator.uniform(0.01, 1, (2, 50))
    weights = mixtures.best_weights(parts, rounds=2000)
    least = min(mixtures.mixture_loss(np.array([w, 1 - w]), parts) for w in np.linspace(0, 1, 2001))
    assert mixtures.mixture_loss(weights, parts) == pytest.approx(least, abs=1e-6)
    losses = [mixtures.mixture_loss(mixtures.best_weights(parts, rounds=n), parts) for n in range(6)]
    assert losses == sorted(losses, reverse=True), "no round raises the loss"
    assert weights.sum() == pytest.approx(1)


def test_the_running_mean_is_the_mean_of_the_weights(load_sprint):
    attempts, model = part(load_sprint, "attempts"), torch.nn.Linear(1, 1, bias=False)
    mean, other = attempts.RunningMean(model), torch.nn.Linear(1, 1, bias=False)
    for value in (0.8, 1.4, 0.8, 1.4):
        with torch.no_grad():
            model.weight.fill_(value)
        mean.add()
    mean.put_into(other)
    assert other.weight.item() == pytest.approx(1.1)


def test_new_words_start_at_what_was_expected_in_their_places(load_sprint):
    contexts, model, unseen = part(load_sprint, "context_vectors"), tiny(), torch.tensor([10, 11])
    documents = [[1, 2, 10, 3, 10], [4, 5]]
    means, counts = contexts.expected_vectors(model, documents, unseen)
    assert counts.tolist() == [2, 0]
    with torch.no_grad():
        logits = model(torch.tensor([[1, 2, 10, 3]]))[0, [1, 3], :10]
        expected = (logits.softmax(dim=-1) @ model.token_embedding.weight[:10]).mean(dim=0)
    assert torch.allclose(means[0], expected, atol=1e-6)
    assert not means[1].any()


def test_an_invented_voice_can_be_undone(load_sprint):
    voices = part(load_sprint, "invented_voices")
    own, others, generator = torch.arange(2, 8), torch.arange(20, 40), torch.Generator().manual_seed(0)
    said = voices.invent_voice(own, others, 50, 0.5, generator)
    changed = (said != torch.arange(50)).nonzero()[:, 0].tolist()
    assert len(changed) == 3
    assert set(changed) <= set(own.tolist())
    assert set(said[changed].tolist()) <= set(others.tolist())
    text = torch.randint(20, (100,), generator=generator)  # in words that others do not use
    assert len({*said[text].tolist()}) == len({*text.tolist()}), "one to one"
    batch = next(voices.documents_in_voices([[2, 3, 4], [5, 6]], [said], 2, generator))
    assert batch.tokens[0].tolist() == said[torch.tensor([2, 3, 4])].tolist()


def test_words_of_the_voice_are_not_those_of_a_dish(load_sprint):
    voices, tokenizer = part(load_sprint, "invented_voices"), load_sprint(f"{FOLDER}/stride.py").load_gpt("cookbook")[1]
    texts = [Cookbook().recipe("train", index).text for index in range(60)]
    words = {
        str(tokenizer.decode([token])).strip().lower()
        for token in voices.words_of_the_voice(encode_documents(texts, tokenizer), tokenizer)
    }
    assert {"the", "serve"} <= words
    assert "anchovies" not in words


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("higher_rates", {"factors": (1.0,), "floors": (0.5,), "epochs": 4}),
        ("several_models", {"models": 2, "epochs": 1}),
        ("vectors_from_contexts", {"epochs": 1, "seeds": 1}),
        ("several_voices", {"voices": (0, 2), "steps": 1, "rows": 1, "epochs": 1}),
    ],
)
def test_attempts_run_and_are_reproducible(load_sprint, small: Path, name: str, options: dict, monkeypatch):
    script = load_sprint(f"{FOLDER}/{name}.py")
    names = inspect.unwrap(script.tune_on_book).__globals__
    make = names["make_optimizers"]
    # The products of Muon take longer than the rest of a step.
    monkeypatch.setitem(names, "make_optimizers", lambda model, **o: make(model, **o | {"muon_learning_rate": None}))
    config = script.Config(book=small, batch_size=2, device="cpu", **options)
    results = script.main(config)
    assert script.main(config) == results, "same seed, same results"
    figure = script.plot(results)
    assert figure.axes
    if name == "several_models":
        assert results.together["test"][1] <= np.mean(results.single["test"]) + 1e-9, "Jensen's inequality"
        assert sum(results.weights.values()) == pytest.approx(1)
        assert results.mixture["validation"] <= results.together["validation"][1] + 1e-9
    if name == "higher_rates":
        assert results.rows[0].last != results.rows[0].averaged
