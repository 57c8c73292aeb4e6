"""Vectors of ingredients as skip_gram.py has saved them."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from embedding_study.recipe_words import ingredient_roles
from shared.lab.provenance import note_read
from shared.lab.results import load_results
from shared.text.cookbook import Cookbook

SAVED = Path(__file__).parents[1] / "results" / "skip_gram.json"


def load_saved(path: Path, cookbook: Cookbook) -> Float[np.ndarray, "ingredients features"]:
    """Return the vectors in a results file of skip_gram.py, in the order of `ingredient_roles`.

    Raises:
        ValueError: the file holds no vectors of these ingredients.
    """
    role_of = ingredient_roles(cookbook)
    saved = load_results(note_read(path, path.name))["results"].get("vectors", {})
    if missing := role_of.keys() - saved.keys():
        raise ValueError(f"{path.name} holds no vector of {min(missing)}: give a results file of skip_gram.py")
    return np.array([[float(number) for number in saved[word].split()] for word in role_of], dtype=np.float32)


def of_length_one(vectors: Float[np.ndarray, "rows features"]) -> Float[np.ndarray, "rows features"]:
    """Return vectors of length one: then near means a large cosine."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
