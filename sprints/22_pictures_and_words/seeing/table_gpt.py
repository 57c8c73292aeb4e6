"""The shipped model of pictures and words: made from its parts, written to a folder, and read back."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from seeing.cross_attention import CrossAttentionModel
from seeing.vision_language import PictureReader, Projector, VisionLanguageModel
from shared.lab.files import replacing_folder, write_text
from shared.lab.paths import DATA
from shared.lab.provenance import note_read
from shared.nn.gpt import GPT, GPTConfig
from shared.nn.model_folders import check_seal, read_json, read_safetensors, refuse_if_not_finite, seal
from shared.nn.pretrained import SHIPPED, load_causal_model
from shared.nn.vision_config import VisionConfig
from shared.nn.vision_transformer import VisionTransformer

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

TABLE_GPT = DATA / "models" / "table-gpt"
Way = Literal["before", "beside"]  # of the words
TIED = "gpt.head.weight"  # the same numbers as the token embedding, so it is not written


def new_model(
    vision: VisionConfig, generator: torch.Generator, gpt: str = SHIPPED, way: Way = "before", positions: float = 0.5
) -> tuple[PictureReader, "PreTrainedTokenizerBase"]:
    """Return a GPT that has learnt to write, with an encoder and a projector that have learnt nothing; its tokenizer.

    Args:
        vision: size of the encoder.
        generator: draws all new weights.
        gpt: a name for `load_causal_model`, of a GPT-2.
        way: the picture stands before the words, or beside them: the GPT is frozen then, and gated blocks look.
        positions: standard deviation of the encoder's first positions. ViT begins with 0.02, where a patch has about 1.

    Raises:
        ValueError: it cannot be loaded, is no GPT-2, or has no room for the patches.
    """
    theirs, tokenizer = load_causal_model(gpt)
    ours = GPT.from_transformers(theirs)  # ty: ignore[invalid-argument-type]
    parts = (new_encoder(vision, generator, positions), Projector(vision.d_model, ours.config.d_model, generator), ours)
    if way == "beside":
        return CrossAttentionModel(*parts, generator=generator), tokenizer
    return VisionLanguageModel(*parts), tokenizer


def new_encoder(vision: VisionConfig, generator: torch.Generator, positions: float = 0.5) -> VisionTransformer:
    """Return an encoder that has learnt nothing, whose positions have the standard deviation `positions`."""
    encoder = VisionTransformer(vision, generator)
    nn.init.normal_(encoder.position_embedding, std=positions, generator=generator)
    return encoder


def save_table_gpt(model: PictureReader, folder: Path) -> None:
    """Write a model, its weights in float16, and the checksums of both files; its tokenizer is the shipped GPT's."""
    sizes = {"vision": asdict(model.encoder.config), "gpt": asdict(model.gpt.config)}
    kept = {name: weight.half().contiguous() for name, weight in model.state_dict().items() if name != TIED}
    refuse_if_not_finite(kept, "the model to write")
    with replacing_folder(folder) as new:
        write_text(new / "config.json", json.dumps(sizes, indent=1) + "\n")
        save_file(kept, new / "model.safetensors")
        seal(new)


def load_table_gpt(folder: Path = TABLE_GPT) -> VisionLanguageModel:
    """Return the model of a folder, in evaluation mode and in float32.

    Raises:
        ValueError: there is none, or it is not as it was written.
    """
    if not (folder / "config.json").is_file():
        raise ValueError(f"there is no model in {folder}: describe.py writes one into the folder of its run")
    check_seal(note_read(folder))
    sizes: dict[str, Any] = read_json(folder / "config.json")
    tensors, _ = read_safetensors(folder / "model.safetensors")
    try:
        vision, gpt = VisionConfig(**sizes["vision"]), GPT(GPTConfig(**sizes["gpt"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{folder / 'config.json'} describes no such model ({error}): get a whole copy of it"
        ) from None
    model = VisionLanguageModel(VisionTransformer(vision), Projector(vision.d_model, gpt.config.d_model), gpt)
    refuse_if_not_finite(tensors, f"the model in {folder}")
    _fill(model, tensors, folder)
    return model.eval()


def _fill(model: VisionLanguageModel, tensors: dict[str, Tensor], folder: Path) -> None:
    wanted = {name: weight.shape for name, weight in model.state_dict().items() if name != TIED}
    if wrong := sorted(wanted.items() ^ {name: tensor.shape for name, tensor in tensors.items()}.items()):
        raise ValueError(f"the weights in {folder} lack {wrong[0][0]}, or have it in another shape: get a whole copy")
    model.load_state_dict({**tensors, TIED: tensors["gpt.token_embedding.weight"]})
