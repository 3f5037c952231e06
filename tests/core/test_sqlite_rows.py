"""SQLite files that several make at once."""

from __future__ import annotations

import threading

from pillarbox._sqlite_rows import open_database


def test_many_make_one_file_at_once(tmp_path):
    """Whoever would wait for another that waits for them tries again: SQLite refuses one of the two at once."""
    failures = []

    def make(path, together):
        together.wait()
        try:
            open_database(path, "CREATE TABLE kept (one)", 3).close()
        except Exception as error:  # noqa: BLE001  (told below)
            failures.append(error)

    for number in range(100):
        together = threading.Barrier(8)
        makers = [threading.Thread(target=make, args=(tmp_path / str(number), together)) for _ in range(8)]
        for maker in makers:
            maker.start()
        for maker in makers:
            maker.join()
    assert failures == []
