"""Turn a checkpoint into a folder that transformers loads like any pre-trained model.

    uv run sprints/09_train_gpt2/train.py --preset cookbook-gpt2
    uv run sprints/09_train_gpt2/export_pretrained.py

These two commands make data/models/cookbook-gpt2, the model that later sprints start from.
Theory: notes/06_the_shipped_model.md
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from shared.lab.config import ScriptConfig
from shared.lab.run import run
from shared.nn.gpt import GPT, GPTConfig
from shared.text.cookbook import Cookbook
from shared.text.corpora import cookbook_tokenizer
from shared.text.tokenizers import END_OF_TEXT
from shared.training.checkpoints import load_checkpoint

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Config(ScriptConfig):
    checkpoint: Path = HERE / "checkpoints" / "train_cookbook_gpt2.pt"  # checkpoint of train.py on the cookbook
    folder: Path = HERE.parents[1] / "data" / "models" / "cookbook-gpt2"  # where the model goes


@dataclass(frozen=True)
class Results:
    parameters: int
    megabytes: float
    files: list[str]
    logit_difference: float
    same_tokens: bool


def main(config: Config) -> Results:
    checkpoint = load_checkpoint(config.checkpoint)
    saved = checkpoint["config"]
    if saved["data"] != "cookbook":
        raise ValueError(f"only a model of the cookbook can be exported with its tokenizer; got data={saved['data']!r}")
    tokenizer = cookbook_tokenizer(saved["vocab_size"])
    sizes = {
        name: saved[name]
        for name in ("context", "layers", "heads", "d_model", "positions", "dropout", "attention_dropout")
    }
    model = GPT(GPTConfig(vocab_size=tokenizer.vocab_size, **sizes)).eval()
    model.load_state_dict(checkpoint["model"])
    model.to_transformers().save_pretrained(config.folder)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer.backend,
        bos_token=END_OF_TEXT,
        eos_token=END_OF_TEXT,
        pad_token=END_OF_TEXT,
        model_max_length=saved["context"],
    )
    fast.save_pretrained(config.folder)

    text = Cookbook().recipe("test", 0).text
    tokens = torch.tensor([tokenizer.encode(text)])
    with torch.no_grad():
        theirs = AutoModelForCausalLM.from_pretrained(config.folder)(tokens).logits
        difference = (theirs - model(tokens)).abs().max().item()
    files = sorted(path.name for path in config.folder.iterdir())
    results = Results(
        parameters=model.parameter_count(),
        megabytes=sum((config.folder / file).stat().st_size for file in files) / 1e6,
        files=files,
        logit_difference=difference,
        same_tokens=PreTrainedTokenizerFast.from_pretrained(config.folder).encode(text) == tokens[0].tolist(),
    )
    print(f"{config.folder}: {', '.join(files)}, {results.megabytes:.1f} MB, {results.parameters:,} parameters")
    print(f"loaded by transformers, its logits differ by at most {difference:.1e}")
    return results


if __name__ == "__main__":
    run(main, Config)
