"""The shipped model, models in folders, and what cannot be loaded."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import GPT2Config, GPT2LMHeadModel

from shared.nn.gpt import GPT
from shared.nn.model_folders import seal
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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a tiny model and the shipped tokenizer."""
    torch.manual_seed(0)
    size = GPT2Config(vocab_size=2048, n_positions=8, n_embd=4, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
    GPT2LMHeadModel(size).save_pretrained(tmp_path)
    load_tokenizer().save_pretrained(tmp_path)
    return tmp_path


def rewrite(folder: Path, **changes: torch.Tensor | None) -> None:
    """Write the weights again, with others in the place of some, or without them."""
    file = folder / "model.safetensors"
    kept = {name: weight for name, weight in (load_file(file) | changes).items() if weight is not None}
    save_file(kept, file, metadata={"format": "pt"})


def test_a_missing_weight_is_not_replaced_by_random_ones(folder: Path):
    rewrite(folder, **{"transformer.h.0.mlp.c_fc.weight": None})
    with pytest.raises(ValueError, match=r"lacks transformer\.h\.0\.mlp\.c_fc\.weight, .* \(1 in all\)"):
        load_causal_model(str(folder))
    rewrite(folder, **{"transformer.h.0.mlp.c_fc.weight": torch.zeros(3, 3)})
    with pytest.raises(ValueError, match=r"c_fc\.weight"):
        load_causal_model(str(folder))


def test_weights_that_are_no_numbers_are_refused(folder: Path):
    rewrite(folder, **{"transformer.ln_f.bias": torch.full((4,), torch.nan)})
    with pytest.raises(ValueError, match=r"infinite or no numbers, first in transformer\.ln_f\.bias"):
        load_causal_model(str(folder))


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("model.safetensors", "text"),
        ("config.json", "{"),
        ("config.json", "{}"),
        ("config.json", '{"model_type": "gpt2", "n_layer": "one"}'),
        ("tokenizer.json", "{}"),
        ("tokenizer.json", "text"),
    ],
)
def test_a_broken_file_is_one_sentence(folder: Path, file: str, text: str):
    (folder / file).write_text(text)
    with pytest.raises(ValueError, match=r"cannot load .*: name 'cookbook', a folder that save_pretrained wrote"):
        load_causal_model(str(folder))


def test_a_sealed_folder_with_a_flipped_bit_is_refused(folder: Path):
    seal(folder)
    load_causal_model(str(folder))
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "model.safetensors").write_bytes(weights)
    with pytest.raises(ValueError, match=r"model\.safetensors is not as it was written"):
        load_causal_model(str(folder))


class Payload:
    """What runs code when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple:
        return Path.touch, (self.target,)


def test_a_pickle_runs_no_code(folder: Path, tmp_path: Path):
    (folder / "model.safetensors").unlink()
    torch.save({"transformer.wte.weight": Payload(tmp_path / "ran")}, folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match="cannot load"):
        load_causal_model(str(folder))
    assert not (tmp_path / "ran").exists()
