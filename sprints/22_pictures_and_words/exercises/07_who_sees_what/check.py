"""Checks of masks: those of note 10, with padding, and leaks through one layer, two and three."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def masks(patches: int, real: Tensor) -> dict[str, Tensor]:
    """Return the expected mask, under "", and those of the usual mistakes."""
    places = torch.arange(patches + real.shape[1])
    past, picture = places <= places[:, None], places < patches
    there = torch.cat([real.new_ones(len(real), patches), real], dim=1)[:, None, :]
    return {
        "": (past | picture) & there,
        "Patches see only what is before them; here they see all patches.": past & there,
        "Padding is not hidden.": (past | picture).expand(len(real), -1, -1),
        "Only padding is hidden, and the future is seen.": there.expand(-1, len(places), -1),
        "The picture's region is one place too long: the first token is seen by the patches.": (
            (past | (places <= patches)) & there
        ),
        "The patches may look at the text.": (past | picture[:, None]) & there,
        "True and False are exchanged; True means 'may look'.": ~((past | picture) & there),
        "Rows and columns are exchanged: a row says where that place may look.": ((past | picture) & there).mT,
        "A place cannot see itself.": ((places < places[:, None]) | picture) & there,
    }


def compare(learner: Any, patches: int, real: Tensor) -> None:
    known = masks(patches, real)
    named = {name: mask for name, mask in known.items() if name}
    expect(learner.picture_mask, {"patches": patches, "real": real}, known[""], named)


def check_a_picture_and_a_text(learner: Any) -> None:
    """Two patches before three tokens."""
    compare(learner, 2, torch.ones(1, 3, dtype=torch.bool))


def check_padding(learner: Any) -> None:
    """One row is padded on the right, one on the left."""
    compare(learner, 2, torch.tensor([[1, 1, 1, 0], [0, 0, 1, 1]]).bool())


def check_no_leak(learner: Any) -> None:
    """The right mask of two patches and four tokens, in three layers."""
    compare_leaks(learner, masks(2, torch.ones(1, 4, dtype=torch.bool))[""][0], 2, 3)


def check_a_leak_at_once(learner: Any) -> None:
    """A region that is three places too long: in one layer, tokens 2 and 3 of the text are seen."""
    places = torch.arange(6)
    compare_leaks(learner, (places <= places[:, None]) | (places < 5), 2, 1)


def check_a_leak_through_the_patches(learner: Any) -> None:
    """Patches see the words: one layer hides it, two layers do not."""
    places = torch.arange(6)
    mask = (places <= places[:, None]) | (places[:, None] < 2)
    for layers in (1, 2):
        compare_leaks(learner, mask, 2, layers)


def check_a_long_way(learner: Any) -> None:
    """Patch 1 sees the third token, patch 2 sees only itself and patch 1, and tokens only patch 2 and themselves."""
    mask = torch.eye(5, dtype=torch.bool)
    mask[0, 4] = mask[1, 0] = mask[2, 1] = mask[3, 1] = mask[4, 1] = True
    for layers in (2, 3):
        compare_leaks(learner, mask, 2, layers)


def check_the_residual_path(learner: Any) -> None:
    """Nobody looks at itself: what a place saw in the first layer, the residual path keeps in the second."""
    mask = torch.zeros(4, 4, dtype=torch.bool)
    mask[1, 0] = mask[1, 2] = mask[2, 0] = mask[3, 0] = True
    compare_leaks(learner, mask, 1, 2)


def compare_leaks(learner: Any, mask: Tensor, patches: int, layers: int) -> None:
    known = torch.eye(len(mask))
    for _ in range(layers):
        known = ((mask.float() @ known + known) > 0).float()
    expected = known.diagonal(1)[patches:] > 0
    paths = torch.linalg.matrix_power(mask.double(), layers) > 0
    mistakes = {
        "The residual path is forgotten: a place keeps what it knew before a layer.": paths.diagonal(1)[patches:],
        "One layer is not all: what a patch has seen it hands on in the next one.": mask.diagonal(1)[patches:],
        "These are the places themselves; asked is whether the place *before* a token knows it.": (
            known.diagonal()[patches + 1 :] > 0
        ),
        "The other direction: whether a token knows the one before it.": known.diagonal(-1)[patches:] > 0,
        "The places of the picture are counted too.": known.diagonal(1) > 0,
        "One layer too many.": (mask.float() @ known > 0).diagonal(1)[patches:],
    }
    expect(learner.leaked, {"mask": mask, "patches": patches, "layers": layers}, expected, mistakes)
