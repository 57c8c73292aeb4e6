"""The axis of the columns vanishes instead of k."""


def product(left, right):
    return (left[:, :, None] * right).sum(dim=2)
