"""Checks of principal components, beside scikit-learn's."""

from typing import Any

import torch
from sklearn.decomposition import PCA
from torch import Tensor

from shared.lab.checking import expect

FOUR = torch.tensor([[5.0, 4], [1, 2], [3.5, 2], [2.5, 4]])


def upright(coordinates: Tensor) -> Tensor:
    """Return components of which the first large entry is positive: a direction and its opposite are equally good."""
    if not isinstance(coordinates, Tensor) or coordinates.dim() != 2 or not len(coordinates):
        return coordinates
    # Not the largest: two may be equally large, and rounding would decide.
    large = coordinates.abs() > 0.5 * coordinates.abs().amax(dim=0)
    first = coordinates.gather(0, large.int().argmax(dim=0, keepdim=True))
    return coordinates * torch.where(first < 0, -1.0, 1.0)


def many_points() -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return (torch.randn(7, 4, generator=generator) * torch.tensor([1.0, 3, 0.5, 2]) + 5).mul(10).round().div(10)


def compare_projection(learner: Any, points: Tensor, components: int) -> None:
    expected = torch.from_numpy(PCA(components, svd_solver="full").fit_transform(points.double().numpy())).float()
    centred = points - points.mean(dim=0)
    left, _, directions = torch.linalg.svd(centred, full_matrices=False)
    uncentred = torch.linalg.svd(points, full_matrices=False)[2][:components].T
    scaled = centred / points.std(dim=0)
    mistakes = {
        "The points are not centred: subtract the mean of each feature first.": points @ uncentred,
        "The directions are right, but the points that are projected are not centred.": (
            points @ directions[:components].T
        ),
        "The directions are those of points that are not centred.": centred @ uncentred,
        "These are the columns of U. A coordinate is U times the singular value.": left[:, :components],
        "Columns of V^T are taken; its rows are the directions.": centred @ directions[:, :components],
        "The directions of smallest variance come first. The largest are wanted.": (
            centred @ directions.flip(0)[:components].T
        ),
        "The features are divided by their standard deviation. PCA centres, no more.": (
            scaled @ torch.linalg.svd(scaled, full_matrices=False)[2][:components].T
        ),
        "These are the first features of the centred points. Turn them to the principal directions.": (
            centred[:, :components]
        ),
    }
    mistakes = {sentence: upright(mistaken) for sentence, mistaken in mistakes.items()}
    given = {"points": points, "components": components}
    expect(lambda points, components: upright(learner.project(points, components)), given, upright(expected), mistakes)


def compare_shares(learner: Any, points: Tensor) -> None:
    expected = torch.from_numpy(PCA().fit(points.double().numpy()).explained_variance_ratio_).float()
    values, uncentred = torch.linalg.svdvals(points - points.mean(dim=0)), torch.linalg.svdvals(points).square()
    squares, spread = values.square(), points.var(dim=0)
    mistakes = {
        "These are shares of the singular values. Variance goes with their squares.": values / values.sum(),
        "The points are not centred: subtract the mean of each feature first.": uncentred / uncentred.sum(),
        "These are variances. Shares add up to 1: divide by the sum.": squares / (len(points) - 1),
        "These are sums of squares. Shares add up to 1: divide by the sum.": squares,
        "These are the shares of the features, not of the principal directions.": spread / spread.sum(),
        "The smallest share comes first. The largest is wanted first.": (squares / squares.sum()).flip(0),
        "These are divided by the largest share. Divide by the sum, so that they add up to 1.": squares / squares[0],
    }
    expect(learner.shares_of_variance, {"points": points}, expected, mistakes)


def check_four_points(learner: Any) -> None:
    """The first component of the four points of note 7: 2.236, -2.236, 0, 0."""
    compare_projection(learner, FOUR, 1)


def check_two_components(learner: Any) -> None:
    """Seven points of four features, on two directions."""
    compare_projection(learner, many_points(), 2)


def check_shares_of_four_points(learner: Any) -> None:
    """The shares of the four points: 80 % and 20 %."""
    compare_shares(learner, FOUR)


def check_shares_of_many_points(learner: Any) -> None:
    """The shares of seven points of four features."""
    compare_shares(learner, many_points())
