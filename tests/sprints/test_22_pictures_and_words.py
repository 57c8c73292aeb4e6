"""What holds for the whole sprint: a tiny model learns a name for each table, and gives the right one to a picture."""

import torch

from shared.nn.gpt import GPT, GPTConfig
from shared.nn.vision_config import VisionConfig

FOLDER = "22_pictures_and_words"


def learn(load_sprint, steps: int) -> tuple[float, float, float]:
    """Return the loss of names at the start, at the end, and at the end with the pictures of other names."""
    drawing = load_sprint(f"{FOLDER}/seeing/drawing.py")
    scenes = load_sprint(f"{FOLDER}/seeing/scenes.py").scenes("train", 0, 6)
    seeing = load_sprint(f"{FOLDER}/seeing/vision_language.py")
    new_encoder = load_sprint(f"{FOLDER}/seeing/table_gpt.py").new_encoder
    batch = seeing.with_captions(drawing.pictures(scenes), [[1 + number] for number in range(6)], 0)

    generator = torch.Generator().manual_seed(0)
    vision = VisionConfig(patch=16, layers=1, heads=2, d_model=32)
    text = GPTConfig(7, context=16, layers=1, heads=2, d_model=32, dropout=0.0)
    model = seeing.VisionLanguageModel(
        new_encoder(vision, generator), seeing.Projector(32, 32, generator), GPT(text, generator)
    )
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    optimizer, losses = torch.optim.AdamW(model.parameters(), 3e-3, weight_decay=0.0), []
    for _ in range(steps):
        loss, count = seeing.text_loss(model, batch)
        optimizer.zero_grad()
        (loss / count).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item() / count)
    assert all(not torch.equal(weight, before[name]) for name, weight in model.named_parameters())
    with torch.no_grad():
        others, count = seeing.text_loss(model, batch._replace(pictures=batch.pictures.roll(1, 0)))
    return losses[0], losses[-1], others.item() / count


def test_a_model_that_sees_loses_more_with_the_picture_of_another_table(load_sprint):
    first, last, others = learn(load_sprint, 100)
    assert last < 0.3 * first
    assert others > last + 1
    assert learn(load_sprint, 3) == learn(load_sprint, 3), "the same seed, the same run"
