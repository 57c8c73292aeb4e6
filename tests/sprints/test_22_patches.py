"""Sprint 22, patches: preprocessing is the libraries' own, what the notes work out by hand, the networks compared."""

from types import ModuleType

import numpy as np
import pytest
import torch
from lesson_texts import lesson_texts
from PIL import Image
from torch import Tensor

SPRINT = "22_pictures_and_words"
page, note = lesson_texts(SPRINT)


@pytest.fixture
def preprocessing(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/seeing/preprocessing.py")


def noise(height: int, width: int, channels: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(height * 1000 + width)
    return torch.randint(0, 256, (channels, height, width), generator=generator, dtype=torch.uint8)


def as_image(picture: Tensor) -> Image.Image:
    return Image.fromarray(picture.permute(1, 2, 0).numpy())


def of_image(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


@pytest.mark.parametrize(
    ("kind", "pillow"), [("bilinear", Image.Resampling.BILINEAR), ("bicubic", Image.Resampling.BICUBIC)]
)
@pytest.mark.parametrize("sizes", [(37, 53, 16, 20), (9, 7, 30, 24), (100, 8, 7, 8), (1, 5, 3, 1)])
def test_resize_is_pillows_and_torchvisions(preprocessing, kind: str, pillow: Image.Resampling, sizes: tuple[int, ...]):
    from torchvision.transforms import v2

    height, width, new_height, new_width = sizes
    picture = noise(height, width)
    ours = preprocessing.resize(picture, new_height, new_width, kind)
    assert torch.equal(ours, of_image(as_image(picture).resize((new_width, new_height), pillow)))
    mode = v2.InterpolationMode(kind)
    of_pillow = v2.functional.resize(as_image(picture), [new_height, new_width], mode)
    assert torch.equal(ours, of_image(of_pillow))
    # On numbers of torch.uint8 torchvision rounds its weights more coarsely.
    of_tensor = v2.functional.resize(picture, [new_height, new_width], mode, antialias=True)
    assert (ours.int() - of_tensor.int()).abs().max() <= 1
    real = picture.double()
    exact = (
        preprocessing.resize_weights(height, new_height, kind)
        @ real
        @ preprocessing.resize_weights(width, new_width, kind).mT
    )
    torch.testing.assert_close(exact, v2.functional.resize(real, [new_height, new_width], mode, antialias=True))


@pytest.mark.parametrize("size", [(60, 45), (45, 61), (32, 32), (300, 40)])
def test_all_of_it_is_transformers_processor(preprocessing, size: tuple[int, int]):
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    ours = preprocessing.Preprocessing(32, "bicubic", preprocessing.CLIP_MEAN, preprocessing.CLIP_DEVIATION)
    theirs = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    picture = noise(*size)
    expected = theirs(as_image(picture), return_tensors="pt")["pixel_values"][0]
    torch.testing.assert_close(ours(picture), expected, atol=1e-5, rtol=1e-5)
    assert preprocessing.CLIP_PREPROCESSING.size == CLIPImageProcessorPil().size["shortest_edge"]
    assert preprocessing.CLIP_PREPROCESSING.mean == tuple(CLIPImageProcessorPil().image_mean)
    assert preprocessing.CLIP_PREPROCESSING.deviation == tuple(CLIPImageProcessorPil().image_std)


def test_crops_as_torchvision_or_as_transformers(preprocessing):
    from torchvision.transforms import v2

    for over in range(6):
        picture = noise(20 + over, 20)
        even = preprocessing.centre_crop(picture, 20, "even")
        assert torch.equal(even, v2.functional.center_crop(picture, [20, 20]))
        same = torch.equal(even, preprocessing.centre_crop(picture, 20))
        assert same == (over != 3), "3 over: 1.5 is rounded to 2, or down to 1"
    assert torch.equal(preprocessing.centre_crop(noise(23, 20), 20), noise(23, 20)[:, 1:21])


def test_scenes_come_through_unchanged(preprocessing, load_sprint):
    drawing = load_sprint(f"{SPRINT}/seeing/drawing.py")
    (scene,) = load_sprint(f"{SPRINT}/seeing/scenes.py").scenes("test", 0, 1)
    torch.testing.assert_close(preprocessing.Preprocessing()(drawing.render(scene)), drawing.pictures([scene])[0])


def test_weights_of_a_resize_are_means(preprocessing):
    for old, new in ((8, 3), (3, 8), (5, 5), (48, 1)):
        weights = preprocessing.resize_weights(old, new)
        torch.testing.assert_close(weights.sum(dim=1), torch.ones(new, dtype=torch.float64))
        torch.testing.assert_close(weights, weights.flip(0, 1))
    assert torch.equal(preprocessing.resize_weights(5, 5, "bicubic"), torch.eye(5, dtype=torch.float64))


@pytest.mark.usefixtures("unchecked")
def test_preprocessing_refuses(preprocessing):
    with pytest.raises(ValueError, match="got 4 to be resized to 0"):
        preprocessing.resize(noise(4, 4), 4, 0)
    with pytest.raises(ValueError, match="bilinear, bicubic; got 'nearest'"):
        preprocessing.resize(noise(4, 4), 2, 2, "nearest")
    with pytest.raises(ValueError, match="it has 8 x 30: resize it first"):
        preprocessing.centre_crop(noise(8, 30), 20)
