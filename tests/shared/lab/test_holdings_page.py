"""The tables of real data."""

from shared.lab.holdings import holdings
from shared.lab.holdings_page import files_table, holdings_table


def test_each_data_set_has_a_row_of_six_cells():
    rows = holdings_table().splitlines()
    assert [row.split("`")[1] for row in rows[2:]] == list(holdings())
    assert {row.count("|") for row in rows} == {7}


def test_each_file_has_a_row_with_its_checksums():
    rows = files_table().splitlines()[2:]
    assert len(rows) == sum(len(holding.files) for holding in holdings().values())
    assert {row.count("|") for row in rows} == {4}
    (images,) = (row for row in rows if "train-images" in row)
    assert images.split("|")[2].strip() == "47,040,016"
    assert images.count("`") == 4, "as published, and as recorded"
    assert "| zinc12k/raw/train.pickle | – | – |" in rows
