"""What holds for the whole sprint: words, places and beliefs search the same pantry, and no search beats the best."""

import numpy as np
import torch

SPRINT = "25_retrieval_augmented_generation"
SYNONYMS, QUESTIONS, PASSAGES = 0.5, 60, 80


def test_no_search_of_the_pantry_is_better_than_the_best_ranking(load_sprint):
    pantry_of, bm25, fusion, kinds, metrics = (
        load_sprint(f"{SPRINT}/retrieval/{name}.py") for name in ("pantry", "bm25", "fusion", "kinds", "metrics")
    )
    pantry = pantry_of.Pantry(3, PASSAGES)
    generator = torch.Generator().manual_seed(0)
    questions = [pantry.ask(generator, SYNONYMS) for _ in range(QUESTIONS)]
    relevant = {str(place): dict.fromkeys(map(str, question.relevant), 1) for place, question in enumerate(questions)}
    words, best = bm25.BM25(pantry.passages), pantry_of.BayesRanking(pantry, SYNONYMS)
    searches = {"words": words, "best": best, "both": fusion.Fused([words, best])}
    values = {}
    for name, search in searches.items():
        found = [search.search(question.text, PASSAGES) for question in questions]
        values[name] = np.mean(metrics.evaluate(kinds.as_run(found), relevant, ["ndcg@10"])["ndcg@10"])
    assert values["words"] < values["both"] < values["best"]
    assert values["best"] > 0.8
