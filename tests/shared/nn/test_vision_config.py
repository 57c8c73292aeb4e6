"""A configuration of a vision transformer says which pictures it reads, and refuses what cannot be."""

from dataclasses import FrozenInstanceError, replace

import pytest

from shared.nn.vision_config import VisionConfig

SMALL = VisionConfig(picture=12, patch=4, layers=2, heads=3, d_model=24, d_hidden=40)


def test_counts_patches_as_the_paper():
    # "An image is worth 16 x 16 words": 224 / 16 = 14 rows of 14
    assert VisionConfig(picture=224, patch=16).patches == 196
    assert (SMALL.patches, VisionConfig().patches) == (9, 36)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"patch": 5}, "leave 2 pixels over"),
        ({"heads": 5}, "multiple of heads; got d_model=24, heads=5"),
        ({"layers": 0}, "at least 1; got layers=0"),
        ({"dropout": 1.0}, r"in \[0, 1\); got 1.0"),
        ({"kind": "resnet"}, "got 'resnet' and 'gelu'"),
        ({"activation": "relu"}, "got 'vit' and 'relu'"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_refuses_a_configuration(change: dict, message: str):
    with pytest.raises(ValueError, match=message):
        replace(SMALL, **change)


def test_the_smallest_and_the_usual_one():
    one = VisionConfig(picture=1, patch=1, channels=1, layers=1, heads=1, d_model=1)
    assert one.patches == 1
    usual = VisionConfig()
    assert (usual.layers, usual.heads, usual.d_model, usual.channels) == (4, 4, 128, 3)
    assert usual.epsilon == 1e-6
    with pytest.raises(FrozenInstanceError):
        usual.layers = 2  # ty: ignore[invalid-assignment]
