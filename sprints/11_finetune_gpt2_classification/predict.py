"""Is this recipe spoiled? Your own text to a fine-tuned model.

    uv run sprints/11_finetune_gpt2_classification/predict.py                     # after train.py: an example
    uv run sprints/11_finetune_gpt2_classification/predict.py --file recipe.txt
    uv run sprints/11_finetune_gpt2_classification/predict.py \
        --model runs/11_finetune_gpt2_classification/train_liar/classifier --text "Taxes rose."

The model is any folder that train.py has saved: `train.py --preset liar` makes the one on LIAR. For a recipe, the exact
probability stands beside the model's. Theory: notes/01_fine_tuning.md
"""

from dataclasses import dataclass

import torch

from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import ExistingFile
from shared.lab.run import run
from shared.lab.runtime import pick_device
from shared.text.cookbook import Cookbook
from text_classification.gpt_classifier import SAVED_CLASSIFIER, class_names, context_of, load_saved
from text_classification.spoiled_recipes import DISHES, RECIPE_CLASSES, SPOILED, Spoiler
from text_classification.text_batches import encode


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = str(SAVED_CLASSIFIER)  # folder of a fine-tuned classifier
    text: str | None = None  # the text to classify (default: a genuine recipe and what a spoiler made of it)
    file: ExistingFile | None = None  # a file with the text to classify

    def check(self) -> None:
        if self.text is not None and self.file is not None:
            raise ValueError("there is one text to classify; got --text and --file: give one of them")
        if self.text is not None and not self.text.strip():
            raise ValueError("there is no text to classify: --text is empty")


@dataclass(frozen=True)
class Results:
    texts: list[str]
    probabilities: list[dict[str, float]]
    faults: list[str | None]
    exact: list[float | None]


def texts_of(config: Config) -> list[str]:
    """Return the texts to classify.

    Raises:
        ValueError: a file that is no text, or an empty one.
    """
    if config.text is None and config.file is None:
        cookbook = Cookbook(dishes=DISHES)
        recipe = cookbook.recipe("validation", config.seed).text
        return [recipe, Spoiler(cookbook).spoil(recipe, torch.Generator().manual_seed(config.seed))]
    text = config.text or ""
    if config.file is not None:
        try:
            text = config.file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"cannot read {config.file} ({error}): name a text file in UTF-8") from error
    if not text.strip():
        raise ValueError(f"there is no text to classify: {config.file} is empty")
    return [text.strip()]


@torch.no_grad()
def main(config: Config) -> Results:
    texts = texts_of(config)
    model, tokenizer = load_saved(config.model)
    model.to(pick_device(config.device)).eval()
    classes = class_names(model)
    cookbook = Cookbook()
    spoiler, about_recipes = Spoiler(cookbook), classes == RECIPE_CLASSES
    probabilities, faults, exact = [], [], []
    for text in texts:
        row = encode(tokenizer, [text], context_of(model, None))
        shares = model(torch.tensor(row, device=model.device)).logits[0].double().softmax(0).tolist()
        probabilities.append(dict(zip(classes, shares, strict=True)))
        print(f"\n{text}\n")
        print(", ".join(f"{name} {share:.1%}" for name, share in probabilities[-1].items()))
        fault = cookbook.fault(text) if about_recipes else None
        faults.append(str(fault) if fault else None)
        exact.append(spoiler.posterior(text) if about_recipes else None)
        if about_recipes:
            print(f"exact: {RECIPE_CLASSES[SPOILED]} {exact[-1]:.1%}" + (f" ({fault})" if fault else ""))
    return Results(texts, probabilities, faults, exact)


if __name__ == "__main__":
    run(main, Config, tolerance={"probabilities.*": Tolerance(absolute=0.1)})
