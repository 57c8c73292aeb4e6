"""Sprint 25: indexes of vectors, beside faiss and beside what can be proved of them."""

import numpy as np
import pytest

faiss = pytest.importorskip("faiss")
SPRINT = "25_retrieval_augmented_generation"


@pytest.fixture
def part(load_sprint):
    return lambda name: load_sprint(f"{SPRINT}/retrieval/{name}.py")


def unit(rows: int, seed: int, features: int = 32) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, features)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


VECTORS, QUERIES = unit(2000, 0), unit(60, 1)


def test_flat_search_is_that_of_faiss(part):
    faiss.omp_set_num_threads(1)
    reference = faiss.IndexFlatL2(32)
    reference.add(VECTORS)
    distances, numbers = reference.search(QUERIES, 10)
    found = part("vectors").Flat(VECTORS).search(QUERIES, 10)
    assert np.array_equal(found[1], numbers)
    assert np.abs(found[0] - distances).max() < 1e-6


def test_equal_distances_come_by_number_and_what_is_missing_is_said(part):
    vectors = part("vectors")
    same = np.repeat(VECTORS[:3], 4, axis=0)
    distances, numbers = vectors.Flat(same).search(VECTORS[1:2], 6)
    assert numbers[0, :4].tolist() == [4, 5, 6, 7]
    assert np.diff(distances[0]).min() >= 0
    distances, numbers = vectors.Flat(same).search(VECTORS[1:2], 14)
    assert numbers[0, 12:].tolist() == [-1, -1]
    assert np.isinf(distances[0, 12:]).all()
    with pytest.raises(ValueError, match="queries of 32 features and a count of at least 1; got 16 features"):
        vectors.Flat(VECTORS).search(unit(1, 0, 16), 3)


@pytest.mark.parametrize("probed", [1, 5, 40])
def test_the_recall_of_cells_is_the_share_of_neighbours_whose_cell_is_probed(part, probed):
    vectors = part("vectors")
    true = vectors.Flat(VECTORS).search(QUERIES, 10)[1]
    quantizer = faiss.IndexFlatL2(32)
    reference = faiss.IndexIVFFlat(quantizer, 32, 40)
    reference.train(VECTORS)
    reference.add(VECTORS)
    reference.nprobe = probed
    cells = vectors.Cells(VECTORS, quantizer.reconstruct_n(0, 40), probed)
    found = cells.search(QUERIES, 10)[1]
    assert np.array_equal(found, reference.search(QUERIES, 10)[1])
    assert vectors.recall(found, true) == cells.share_probed(QUERIES, true)
    assert (vectors.recall(found, true) == 1) == (probed == 40)
    assert cells.scanned(QUERIES) == pytest.approx(probed / 40, rel=0.25)


def test_each_round_of_k_means_makes_vectors_nearer_to_their_centroids(part):
    vectors = part("vectors")
    errors = [
        vectors.assign(VECTORS, vectors.k_means(VECTORS, 30, rounds, np.random.default_rng(3)))[0].mean()
        for rounds in (0, 1, 3, 10)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.9 * errors[0]
    twice = np.repeat(VECTORS[:4], 5, axis=0)  # four different vectors only: a centroid without vectors finds one
    centroids = vectors.k_means(twice, 4, 10, np.random.default_rng(0))
    assert vectors.assign(twice, centroids)[0].max() < 1e-6
    with pytest.raises(ValueError, match="1 to 4 cells"):
        vectors.k_means(VECTORS[:4], 5, 1, np.random.default_rng(0))


def test_codes_and_distances_are_those_of_faiss(part):
    codes = part("codes")
    reference = faiss.IndexPQ(32, 4, 4)  # 4 parts of 16 values
    reference.train(VECTORS)
    reference.add(VECTORS)
    book = codes.Codebook(faiss.vector_to_array(reference.pq.centroids).reshape(4, 16, 8))
    ours = book.encode(VECTORS)
    theirs = reference.pq.compute_codes(VECTORS)  # two codes of 4 bits in a byte
    assert np.array_equal(ours[:, 0::2] | ours[:, 1::2] << 4, theirs)
    distances = book.distances(QUERIES, ours)
    decoded = part("vectors").squared_distances(QUERIES, book.decode(ours))
    assert np.abs(distances - decoded).max() < 1e-5
    assert np.abs(np.sort(reference.search(QUERIES, 10)[0]) - np.sort(distances)[:, :10]).max() < 1e-6


def test_no_code_is_better_than_shannons_bound(part):
    codes = part("codes")
    vectors = np.random.default_rng(0).normal(size=(6000, 8)).astype(np.float32)
    train, test = vectors[:4000], vectors[4000:]
    for parts in (1, 2, 4):
        book = codes.Codebook.train(train, parts, 8, np.random.default_rng(0), values=64)
        error = codes.distortion(test, book.decode(book.encode(test)))
        bound = codes.shannon_bound(np.ones(8), 6.0 * parts)
        assert bound < error < 3 * bound
        assert bound == pytest.approx(2 ** (-2 * 6 * parts / 8))
    assert codes.shannon_bound(np.array([4.0, 1.0]), 1.0) == 1  # all of the bit goes to the first feature: 4 / 4 and 1
    assert codes.shannon_bound(np.array([4.0, 1.0]), 4.0) == pytest.approx(0.125)
    with pytest.raises(ValueError, match="32 features cannot be cut into 5 equal parts"):
        codes.Codebook.train(VECTORS, 5, 1, np.random.default_rng(0))
    with pytest.raises(ValueError, match="a byte tells 256 values apart; got 257"):
        codes.Codebook(np.zeros((1, 257, 2)))


@pytest.fixture(scope="module")
def graph():
    index = faiss.IndexHNSWFlat(32, 6)
    index.hnsw.efConstruction = 30
    index.add(VECTORS)
    return index


@pytest.mark.parametrize("width", [10, 25])
def test_a_walk_finds_what_faiss_finds_and_computes_no_distance_twice(part, graph, width):
    walks = part("walks")
    layers = walks.layers_of(graph)
    assert len(layers.neighbours[0]) == len(VECTORS)
    assert len(layers.neighbours) > 1
    graph.hnsw.efSearch = width
    walk = walks.Walk(VECTORS, layers, width)
    found = walk.search(QUERIES, 10)
    distances, numbers = graph.search(QUERIES, 10)
    assert np.array_equal(found[1], numbers)
    assert np.abs(found[0] - distances).max() < 1e-6
    true = part("vectors").Flat(VECTORS).search(QUERIES, 10)[1]
    assert 0.3 < part("vectors").recall(numbers, true) < 1
    assert walk.computed < 0.5 * len(VECTORS) * len(QUERIES)


def test_a_walk_as_wide_as_a_connected_graph_is_exact(part):
    walks, ring = part("walks"), VECTORS[:40]
    neighbours = {node: [(node - 1) % 40, (node + 1) % 40] for node in range(40)}
    found = walks.Walk(ring, walks.Layers([neighbours], 0), 40).search(QUERIES, 5)[1]
    assert np.array_equal(found, part("vectors").Flat(ring).search(QUERIES, 5)[1])


def test_vectors_make_a_retriever(part):
    vectors = part("vectors")
    retriever = vectors.VectorRetriever(lambda texts: VECTORS[[int(text) for text in texts]], vectors.Flat(VECTORS))
    found = retriever.search("7", 3)
    assert found[0] == (7, pytest.approx(1, abs=1e-6))
    assert found[1][1] == pytest.approx(float(VECTORS[7] @ VECTORS[found[1][0]]), abs=1e-6)


def test_what_note_8_says_of_removing_vectors_in_faiss():
    numbers = np.arange(len(VECTORS)) + 5000
    found = {}
    for kind in ("IDMap,IVF8,Flat", "IVF8,Flat"):
        index = faiss.index_factory(32, kind)
        index.train(VECTORS)
        index.add_with_ids(VECTORS, numbers)
        index.remove_ids(numbers[:100])
        faiss.extract_index_ivf(index).nprobe = 8
        found[kind] = (index.search(VECTORS[100:], 1)[1][:, 0] == numbers[100:]).mean()
    assert found == {"IDMap,IVF8,Flat": 0, "IVF8,Flat": 1}
    walk = faiss.IndexHNSWFlat(32, 4)
    walk.add(VECTORS[:50])
    with pytest.raises(RuntimeError, match="remove_ids not implemented"):
        walk.remove_ids(numbers[:5])
