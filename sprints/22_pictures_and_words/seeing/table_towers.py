"""The shipped towers of the laid table: written to a folder with their loss, and read back."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from seeing.contrasting import Contrast
from seeing.contrastive import ContrastiveLoss
from seeing.two_towers import TextConfig, TwoTowers
from shared.lab.files import replacing_folder, write_text
from shared.lab.paths import DATA
from shared.lab.provenance import note_read
from shared.nn.model_folders import check_seal, read_json, read_safetensors, refuse_if_not_finite, seal
from shared.nn.vision_config import VisionConfig

TABLE_TOWERS = DATA / "models" / "table-towers"


def save_towers(contrast: Contrast, folder: Path) -> None:
    """Write towers and loss, the weights in float16, and the checksums of both files."""
    towers = contrast.towers
    features = towers.picture_projection.out_features
    sizes = {
        "vision": asdict(towers.vision.config), "text": asdict(towers.text.config), "features": features,
        "loss": contrast.loss.kind,
    }  # fmt: skip
    kept = {name: weight.half().contiguous() for name, weight in contrast.state_dict().items()}
    refuse_if_not_finite(kept, "the towers to write")
    with replacing_folder(folder) as new:
        write_text(new / "config.json", json.dumps(sizes, indent=1) + "\n")
        save_file(kept, new / "model.safetensors")
        seal(new)


def load_towers(folder: Path = TABLE_TOWERS) -> Contrast:
    """Return the towers of a folder with their loss, in evaluation mode and in float32.

    Raises:
        ValueError: there are none, or they are not as they were written.
    """
    if not (folder / "config.json").is_file():
        raise ValueError(f"there are no towers in {folder}: retrieve.py writes them into the folder of its run")
    check_seal(note_read(folder))
    sizes: dict[str, Any] = read_json(folder / "config.json")
    tensors, _ = read_safetensors(folder / "model.safetensors")
    try:
        towers = TwoTowers(VisionConfig(**sizes["vision"]), TextConfig(**sizes["text"]), sizes["features"])
        contrast = Contrast(towers, ContrastiveLoss(sizes["loss"]))
        refuse_if_not_finite(tensors, f"the towers in {folder}")
        contrast.load_state_dict(tensors)
    except (KeyError, TypeError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{folder} holds no such towers ({reason}): get a whole copy of it") from None
    return contrast.eval()
