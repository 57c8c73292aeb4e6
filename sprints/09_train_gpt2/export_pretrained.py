"""Turn a checkpoint into a folder that transformers loads like any pre-trained model.

    uv run sprints/09_train_gpt2/train.py --preset cookbook-gpt2
    uv run sprints/09_train_gpt2/fewer_faults.py
    uv run sprints/09_train_gpt2/export_pretrained.py

Recorded, these commands make data/models/cookbook-gpt2, the model that later sprints start from; otherwise the
folder is written to where a run writes, and the shipped model stays. Theory: notes/12_the_shipped_model.md
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from pretraining_study.saved_models import from_checkpoint
from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.files import replacing_folder
from shared.lab.paths import RUNS, shown
from shared.lab.run import run, run_folder
from shared.nn.model_folders import CHECKSUMS, seal
from shared.nn.pretrained import SHIPPED_FOLDER
from shared.text.cookbook import Cookbook
from shared.text.tokenizers import END_OF_TEXT

CHECKPOINTS = RUNS / "09_train_gpt2" / "fewer_faults" / "checkpoints"


@dataclass(frozen=True)
class Config(ScriptConfig):
    checkpoint: Path = CHECKPOINTS / "cookbook.pt"  # checkpoint of fewer_faults.py, or of train.py on the cookbook


@dataclass(frozen=True)
class Results:
    parameters: int
    megabytes: float
    files: list[str]
    logit_difference: float
    same_tokens: bool


def main(config: Config) -> Results:
    model, tokenizer = from_checkpoint(config.checkpoint)
    target = SHIPPED_FOLDER if config.record is not None else run_folder(config, __file__) / SHIPPED_FOLDER.name
    with replacing_folder(target) as folder:
        model.to_transformers().save_pretrained(folder)
        PreTrainedTokenizerFast(
            tokenizer_object=tokenizer.backend,
            bos_token=END_OF_TEXT,
            eos_token=END_OF_TEXT,
            pad_token=END_OF_TEXT,
            model_max_length=model.config.context,
        ).save_pretrained(folder)
        seal(folder)

    text = Cookbook().recipe("test", 0).text
    tokens = torch.tensor([tokenizer.encode(text)])
    with torch.no_grad():
        theirs = AutoModelForCausalLM.from_pretrained(target)(tokens).logits
        difference = (theirs - model(tokens)).abs().max().item()
    files = sorted(path.name for path in target.iterdir() if path.name != CHECKSUMS)
    results = Results(
        parameters=model.parameter_count(),
        megabytes=sum((target / file).stat().st_size for file in files) / 1e6,
        files=files,
        logit_difference=difference,
        same_tokens=PreTrainedTokenizerFast.from_pretrained(target).encode(text) == tokens[0].tolist(),
    )
    print(f"{shown(target)}: {', '.join(files)}, {results.megabytes:.1f} MB, {results.parameters:,} parameters")
    print(f"loaded by transformers, its logits differ by at most {difference:.1e}")
    return results


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT, "megabytes": Tolerance(relative=0.01), "logit*": Tolerance(absolute=1e-4)})
