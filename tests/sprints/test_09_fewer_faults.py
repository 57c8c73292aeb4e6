"""Sprint 9: the token by which a recipe goes wrong, and a model that is taught to avoid it."""

import random
from pathlib import Path
from types import ModuleType

import pytest
import torch

from shared.nn.gpt import GPT, GPTConfig
from shared.text.batches import pad_rows
from shared.text.cookbook import Cookbook
from shared.text.corpora import CookbookCorpus, cookbook_tokenizer
from shared.training.checkpoints import save_checkpoint
from shared.training.losses import language_model_loss, token_losses

SIZE = {"context": 256, "layers": 1, "heads": 2, "d_model": 16, "positions": "learned", "dropout": 0.0}


@pytest.fixture
def script(load_sprint) -> ModuleType:
    return load_sprint("09_train_gpt2/fewer_faults.py")


def test_the_first_wrong_token_is_the_one_after_which_nothing_can_be_mended(load_sprint):
    first_wrong_token = load_sprint("09_train_gpt2/pretraining_study/wrong_tokens.py").first_wrong_token
    tokenizer, cookbook, draws, wrong = cookbook_tokenizer(1024), Cookbook(), random.Random(0), 0
    for index in range(12):
        tokens = tokenizer.encode(cookbook.recipe("test", index).text)
        assert first_wrong_token(tokens, tokenizer, cookbook) is None
        cut = draws.randrange(len(tokens))
        assert first_wrong_token(tokens[:cut], tokenizer, cookbook) == cut, "it should have gone on"
        changed = draws.randrange(len(tokens))
        tokens[changed] = draws.randrange(1, tokenizer.vocab_size)
        place = first_wrong_token(tokens, tokenizer, cookbook)
        if place is not None:
            wrong += 1
            assert place >= changed
            assert first_wrong_token(tokens[:place], tokenizer, cookbook) == place, "so far it could be a recipe"
            assert first_wrong_token(tokens[: place + 1], tokenizer, cookbook) == place, "now it cannot"
    assert wrong > 6


def test_the_penalty_makes_the_wrong_token_less_probable(load_sprint):
    part = load_sprint("09_train_gpt2/pretraining_study/fault_penalty.py")
    torch.manual_seed(0)
    model = GPT(GPTConfig(vocab_size=50, **SIZE))
    texts, places = pad_rows([[1, 7, 8, 9, 1], [1, 5, 6, 1]]), torch.tensor([2, 3])
    recipes = pad_rows([[1, 2, 3, 1]])
    lesson = part.Lesson(recipes, texts, places, written=4)
    plain, targets = language_model_loss(model, recipes)
    loss, count = part.loss_with_penalty(model, lesson, 3.0)
    before = -token_losses(model(texts.tokens), *texts)[[0, 1], places - 1]
    assert count == targets
    assert loss.item() == pytest.approx((plain + 3.0 * 1 * before.sum() / 4).item(), rel=1e-6)
    (loss - plain).backward()
    with torch.no_grad():
        for weight in model.parameters():
            assert weight.grad is not None
            weight -= 0.01 * weight.grad
        after = -token_losses(model(texts.tokens), *texts)[[0, 1], places - 1]
    assert (after < before).all()
    assert part.loss_with_penalty(model, lesson, 0.0)[0].item() == pytest.approx(
        language_model_loss(model, recipes)[0].item()
    )


def test_the_model_with_most_valid_recipes_is_saved_as_train_saves_it(
    script: ModuleType, load_sprint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    model = GPT(GPTConfig(vocab_size=1024, **SIZE, attention_dropout=None))
    fixed = SIZE | {
        "attention_dropout": None, "data": "cookbook", "vocab_size": 1024,
        "corpus": CookbookCorpus(cookbook_tokenizer(1024)).fingerprint,
    }  # fmt: skip
    path = tmp_path / "start.pt"
    save_checkpoint(path, model=model, optimizers=[], step=7, config=fixed, data={"position": 112})
    part = load_sprint("09_train_gpt2/pretraining_study/fault_penalty.py")
    real = part.generate
    monkeypatch.setattr(
        part, "generate", lambda *some, max_new_tokens, **rest: real(*some, max_new_tokens=max_new_tokens // 9, **rest)
    )
    config = script.Config(
        checkpoint=path, steps=4, plain_steps=3, batch_size=2, texts=4, steps_per_writing=2, validation_recipes=4,
        recipes=2, out=tmp_path,
    )  # fmt: skip
    results = script.main(config)
    assert len(results.faults_while_training) == 2, "written twice, for two steps each"
    assert results.saved in results.scores
    assert len({score.loss for score in results.scores.values()}) == 5, "five different models"
    saved, _ = script.from_checkpoint(tmp_path / "checkpoints" / "cookbook.pt")
    batches = CookbookCorpus(cookbook_tokenizer(1024), validation_recipes=4).validation_batches(4, 256)
    assert script.evaluate_loss(saved, batches)[0] == pytest.approx(results.scores[results.saved].loss)


def test_options_that_do_not_fit_are_refused(refusal):
    assert "take --texts 12" in refusal("09_train_gpt2/fewer_faults.py", "--texts 10 --steps-per-writing 4")
