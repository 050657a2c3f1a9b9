"""Atomic writes leave alone what they did not write."""

import os
import threading

import pytest

from recbole_edlae._files import atomic_file, write_atomically


@pytest.fixture
def part(tmp_path):
    """The name that the part of `report` has first."""
    return tmp_path / f"report.{os.getpid()}.part"


def test_a_link_that_has_the_parts_name_is_not_followed(tmp_path, part):
    (tmp_path / "diary").write_text("mine")
    part.symlink_to("diary")
    write_atomically(tmp_path / "report", "new")
    assert (tmp_path / "diary").read_text() == "mine" and part.is_symlink()
    assert (tmp_path / "report").read_text() == "new" and len(list(tmp_path.iterdir())) == 3


def test_a_link_to_nothing_is_not_followed(tmp_path, part):
    part.symlink_to("elsewhere")
    write_atomically(tmp_path / "report", "new")
    assert not (tmp_path / "elsewhere").exists() and (tmp_path / "report").read_text() == "new"


@pytest.mark.parametrize("others", [1, 3])
def test_other_files_of_the_parts_name_stay(tmp_path, part, others):
    names = [part, *(part.with_name(f"report.{os.getpid()}-{number}.part") for number in range(1, others))]
    for path in names:
        path.write_text("mine")
    write_atomically(tmp_path / "report", "new")
    with pytest.raises(KeyError), atomic_file(tmp_path / "report") as file:
        file.write(b"half")
        raise KeyError
    assert [path.read_text() for path in names] == ["mine"] * others
    assert (tmp_path / "report").read_text() == "new" and len(list(tmp_path.iterdir())) == others + 1


def test_two_threads_write_one_file(tmp_path):
    both = threading.Barrier(2, timeout=30)

    def write(letter):
        with atomic_file(tmp_path / "report") as file:
            file.write(letter * 1000)
            file.flush()
            both.wait()
            file.write(letter * 1000)

    threads = [threading.Thread(target=write, args=[letter]) for letter in (b"a", b"b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "report").read_bytes() in (b"a" * 2000, b"b" * 2000)
    assert len(list(tmp_path.iterdir())) == 1


def test_others_may_read_it_as_the_umask_says(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "report", "new")
    finally:
        os.umask(before)
    assert (tmp_path / "report").stat().st_mode & 0o777 == 0o640
