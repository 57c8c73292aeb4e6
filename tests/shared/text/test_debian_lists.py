"""Lists as `apt` keeps them, made into tables that scripts read."""

import gzip
import lzma
import sys
from pathlib import Path

import pytest

from shared.lab.datasets import DataError
from shared.lab.getting import write_packed
from shared.text import debian, debian_lists
from shared.text.debian_lists import apt_lists, package_table, read_paragraphs

PACKAGES = """\
Package: apple
Version: 1:2.0-1
Depends: tree (>= 2), bee | wasp
Pre-Depends: soil
Recommends: rain
Description: red fruit
Description-md5: aa
Tag: role::fruit, use::eating,
 colour::red
Section: food

Package: bare
Version: 1
Description: no text of its own

"""
TEXTS = """\
Package: apple
Description-md5: aa
Description-en: red fruit
 It is red.\u2028
 .
  * keeps\ttwo spaces
"""


@pytest.fixture
def lists(tmp_path: Path) -> list[Path]:
    packages, texts = tmp_path / "Packages.xz", tmp_path / "Translation-en.gz"
    packages.write_bytes(lzma.compress(PACKAGES.encode()))
    texts.write_bytes(gzip.compress(TEXTS.encode()))
    return [packages, texts]


def test_a_table_is_what_scripts_read(lists: list[Path], own_data, tmp_path: Path):
    write_packed(package_table(lists).encode(), tmp_path / "table.gz")
    own_data("debian/packages.tsv.gz", (tmp_path / "table.gz").read_bytes())
    apple, bare = debian.read_packages()
    assert apple == debian.Package(
        name="apple",
        short="red fruit",
        long="It is red.\u2028\n.\n * keeps two spaces",
        version="1:2.0-1",
        section="food",
        depends="tree (>= 2), bee | wasp",
        recommends="rain",
        tags=r"role::fruit, use::eating,\ncolour::red",
    )
    assert (bare.name, bare.short, bare.long, bare.section) == ("bare", "no text of its own", "", "")


def test_the_order_of_the_files_does_not_matter_and_lists_follow_each_other(lists: list[Path]):
    assert package_table(lists) == package_table(lists[::-1])
    later = lists[0].with_name("more")
    later.write_text("Package: pear\nVersion: 3\nDescription: green fruit\n")
    names = [line.split("\t")[0] for line in package_table([*lists, later]).rstrip("\n").split("\n")]
    assert names == ["package", "apple", "bare", "pear"]


def test_bad_lists_are_one_sentence(lists: list[Path], tmp_path: Path):
    with pytest.raises(DataError, match="needs Translation-en"):
        package_table(lists[:1])
    with pytest.raises(DataError, match="needs Packages"):
        package_table(lists[1:])
    bad = tmp_path / "bad"
    bad.write_text("Package: apple\nVersion: 1\n")
    with pytest.raises(DataError, match=r"every package has a Description; this has none: .*apple"):
        package_table([bad, lists[1]])
    bad.write_text("\n")
    with pytest.raises(DataError, match="bad holds no package"):
        package_table([bad, lists[1]])
    for text, number in (("Package: a\nno field\n", 2), (" begins with a space\n", 1)):
        bad.write_text(text)
        with pytest.raises(DataError, match=rf"bad, line {number}: a list has lines like"):
            list(read_paragraphs(bad))
    for name in ("none", "broken.xz", "broken.gz"):
        if name != "none":
            (tmp_path / name).write_bytes(lists[0].read_bytes()[:40])
        with pytest.raises(DataError, match=f"{name} cannot be read"):
            list(read_paragraphs(tmp_path / name))


@pytest.mark.skipif(sys.platform == "win32", reason="the program of this test is a shell script")
def test_a_program_reads_what_python_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    packed = tmp_path / "Packages.lz4"
    packed.write_text(PACKAGES)
    monkeypatch.setattr(debian_lists, "APT_HELPER", tmp_path / "none")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DataError, match="needs the program lz4"):
        list(read_paragraphs(packed))
    program = tmp_path / "lz4"
    program.write_text('#!/bin/sh\n[ "$1" = -dcq ] && read -r line < "$2" && echo "$line"\n')
    program.chmod(0o755)
    assert list(read_paragraphs(packed)) == [{"Package": "apple"}]
    program.write_text("#!/bin/sh\necho broken >&2; exit 1\n")
    with pytest.raises(DataError, match=r"cannot be read \(broken\)"):
        list(read_paragraphs(packed))


def test_lists_of_apt_are_found_by_release(tmp_path: Path):
    kept = "mirror_debian_dists_bookworm_main_"
    for name in (f"{kept}binary-amd64_Packages", "mirror_debian_dists_trixie_main_i18n_Translation-en"):
        (tmp_path / name).touch()
    with pytest.raises(DataError, match="Acquire::Languages=en update"):
        apt_lists(folder=tmp_path)
    newer = ("mirror_debian-security_dists_bookworm-security_main_", "mirror_debian_dists_bookworm-updates_main_")
    for part in (kept, *newer, "mirror_debian_dists_bookworm-backports_main_"):
        for kind in ("binary-amd64_Packages.lz4", "i18n_Translation-en.lz4"):
            (tmp_path / (part + kind)).touch()
    (tmp_path / f"{kept}binary-amd64_Packages").unlink()
    main, updates = apt_lists(folder=tmp_path)
    assert [path.name for path in main] == [f"{kept}binary-amd64_Packages.lz4", f"{kept}i18n_Translation-en.lz4"]
    assert [path.name.split("_")[3] for path in updates] == ["bookworm-security"] * 2 + ["bookworm-updates"] * 2
