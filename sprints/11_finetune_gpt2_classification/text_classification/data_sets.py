"""The data sets of this sprint, each split in three: spoiled recipes, LIAR, and news from the hub or a folder.

Every text comes with a label; the classes have names. Recipes are endless, so their splits are of any size and
disjoint; LIAR has official splits; the news has none and is split here, each class in the same proportion.
"""

from text_classification.labelled_texts import LabelledSplits, LabelledTexts, split_in_three
from text_classification.liar import LIAR_CLASSES, liar_statements
from text_classification.news_articles import NEWS, news
from text_classification.spoiled_recipes import DISHES, RECIPE_CLASSES, labelled_recipes

DATA = ("recipes", "liar", "fake-news")


def load_splits(
    data: str,
    *,
    seed: int = 0,
    train: int = 8000,
    validation: int = 500,
    test: int = 2000,
    dishes: tuple[str, ...] = DISHES,
    pairs: bool = True,
    source: str = NEWS,
    limit: int | None = None,
) -> LabelledSplits:
    """Return a data set, split.

    Args:
        data: one of `DATA`.
        seed: another seed trains on other recipes. What is validated and tested on is the same for all.
        train, validation, test: how many recipes to train, validate and test on.
        dishes: what the recipes are of (see `shared/text/cookbook.toml`).
        pairs: train on recipes before and after they were spoiled. Held-out recipes are always of different ones.
        source: the news: a name of the hub, or a folder of .csv or .parquet files with the columns title, text, label.
        limit: keep only this many texts of each split of LIAR or the news (default: all).

    Raises:
        ValueError: an unknown data set, or texts that cannot be used; says which and why.
    """
    if data == "recipes":
        return LabelledSplits(
            RECIPE_CLASSES,
            labelled_recipes("train", train, seed, dishes, pairs=pairs),
            labelled_recipes("validation", validation, dishes=dishes),
            labelled_recipes("test", test, dishes=dishes),
        )
    if data == "liar":
        splits = LabelledSplits(LIAR_CLASSES, *(liar_statements(name) for name in ("train", "valid", "test")))
    elif data == "fake-news":
        splits = split_in_three(news(source), ("fake", "real"))
    else:
        raise ValueError(f"data must be one of {', '.join(DATA)}; got {data!r}")
    return LabelledSplits(
        splits.classes, *(LabelledTexts(part.texts[:limit], part.labels[:limit]) for part in splits[1:])
    )
