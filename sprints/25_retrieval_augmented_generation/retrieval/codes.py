"""Product quantization (Jégou et al. 2011): a vector in a few bytes, one for each of its parts."""

import numpy as np
from jaxtyping import Float, UInt8

from retrieval.vectors import Queries, Vectors, assign, k_means, squared_distances

Codes = UInt8[np.ndarray, "vectors parts"]
MOST = 256  # values of a part: what a byte can tell apart


class Codebook:
    """For each part of a vector up to 256 values; a vector is the numbers of its nearest values.

    Args:
        values: (parts, values, features of a part).
    """

    def __init__(self, values: Float[np.ndarray, "parts values features"]) -> None:
        if values.shape[1] > MOST:
            raise ValueError(f"a byte tells {MOST} values apart; got {values.shape[1]}")
        self.values = values

    @classmethod
    def train(
        cls, vectors: Vectors, parts: int, rounds: int, generator: np.random.Generator, values: int = MOST
    ) -> "Codebook":
        """Return a codebook by k-means in each part; ValueError where the features cannot be cut into equal parts."""
        if vectors.shape[1] % parts:
            raise ValueError(f"{vectors.shape[1]} features cannot be cut into {parts} equal parts")
        pieces = np.split(vectors, parts, axis=1)
        return cls(np.stack([k_means(piece, values, rounds, generator) for piece in pieces]))

    def _pieces(self, vectors: Vectors) -> list[Float[np.ndarray, "vectors part"]]:
        parts, _, features = self.values.shape
        if vectors.shape[1] != parts * features:
            raise ValueError(f"the codebook is for {parts} parts of {features} features; got {vectors.shape[1]}")
        return np.split(vectors, parts, axis=1)

    def encode(self, vectors: Vectors) -> Codes:
        """Return for each part the number of the nearest value."""
        pairs = zip(self._pieces(vectors), self.values, strict=True)
        return np.stack([assign(piece, values)[1] for piece, values in pairs], axis=1).astype(np.uint8)

    def decode(self, codes: Codes) -> Vectors:
        """Return the vectors that the codes stand for."""
        return np.concatenate([values[codes[:, part]] for part, values in enumerate(self.values)], axis=1)

    def tables(self, queries: Queries) -> Float[np.ndarray, "parts queries values"]:
        """Return squared distances of each part of each query to all values of the part."""
        pairs = zip(self._pieces(queries), self.values, strict=True)
        return np.stack([squared_distances(piece, values) for piece, values in pairs])

    def distances(self, queries: Queries, codes: Codes) -> Float[np.ndarray, "queries vectors"]:
        """Return squared distances to the decoded vectors, without decoding: one number of a table for each part."""
        total = np.zeros((len(queries), len(codes)), self.values.dtype)
        for part, table in enumerate(self.tables(queries)):
            total += table[:, codes[:, part]]
        return total


def distortion(vectors: Vectors, decoded: Vectors) -> float:
    """Return the mean squared error of a number."""
    return float(((vectors.astype(np.float64) - decoded) ** 2).mean())


def shannon_bound(variances: Float[np.ndarray, "features"], bits: float) -> float:
    """Return the least mean squared error that any code of so many bits a vector has, for Gaussian vectors (1959).

    D = mean of min(level, variance), where the level of the water is the one at which sum of max(0, log2(variance /
    level) / 2) = bits. With equal variances it is variance * 2^(-2 bits / features).

    Args:
        variances: of independent features (else: eigenvalues of the covariance).
        bits: of a whole vector.
    """
    falling = np.sort(variances[variances > 0])[::-1].astype(np.float64)
    for kept in range(len(falling), 0, -1):  # features above the water
        level = float(np.exp(np.log(falling[:kept]).mean() - 2 * np.log(2) * bits / kept))
        if level <= falling[kept - 1]:
            break
    return float(np.minimum(level, falling).sum() / len(variances))
