"""The shipped model, models in folders, and what cannot be loaded."""

from pathlib import Path

import pytest
import torch

from shared.nn.gpt import GPT
from shared.nn.pretrained import SHIPPED_FOLDER, Logits, context_length, load_causal_model, load_tokenizer, locate_model
from shared.text.batches import Batch
from shared.text.tokenizers import Tokenizer
from shared.training.losses import evaluate_loss

TEXT = "Title: Garlic soup with tofu\n\nIngredients:\n"


def test_the_shipped_model_is_the_one_of_shared_gpt():
    model, tokenizer = load_causal_model()
    tokens = torch.tensor([tokenizer(TEXT)["input_ids"]])
    with torch.no_grad():
        torch.testing.assert_close(Logits(model)(tokens), GPT.from_transformers(model)(tokens), atol=1e-4, rtol=0)
    assert not model.training
    assert context_length(model) == 256
    assert tokens[0].tolist() == Tokenizer.load(SHIPPED_FOLDER / "tokenizer.json").encode(TEXT)


def test_an_evaluation_leaves_the_model_in_its_mode():
    model, _ = load_causal_model()
    for training in (False, True):
        model.train(training)
        evaluate_loss(Logits(model), [Batch(torch.tensor([[0, 5, 6]]), None)])
        assert model.training == training
        assert model.transformer.drop.training == training


def test_a_folder_gives_the_same_model(tmp_path: Path):
    model, tokenizer = load_causal_model()
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    again, _ = load_causal_model(str(tmp_path))
    for ours, theirs in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_tokenizer_without_a_padding_token_pads_with_its_end(tmp_path: Path):
    tokenizer = load_tokenizer()
    tokenizer.pad_token = None
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    assert load_tokenizer(str(tmp_path)).pad_token_id == tokenizer.eos_token_id

    tokenizer.eos_token = tokenizer.bos_token = None
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="neither a padding nor an end-of-text token"):
        load_tokenizer(str(tmp_path))


def test_what_cannot_be_loaded_is_an_error_that_says_what_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ValueError, match=r"without a config.json"):
        locate_model(str(tmp_path))
    with pytest.raises(ValueError, match="there is no folder"):
        locate_model(str(tmp_path / "missing"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ValueError, match=r"cannot load 'no/such-model'.*name 'cookbook'"):
        load_causal_model("no/such-model")
    assert locate_model("gpt2") == "gpt2"
