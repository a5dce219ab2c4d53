"""dbt's static docs in the home: models, columns, tests and lineage on one page."""

import threading
from contextlib import suppress

from orchestration.home.atomic_files import write_atomically
from orchestration.warehouse.dbt_command import DbtError, ensure_manifest, project_hash, run_dbt
from orchestration.warehouse.dbt_lines import DbtLines
from orchestration.warehouse.held import WarehouseHeldError
from serving.home import Home

_publishing = threading.Lock()


def publish_docs(home: Home) -> bool:
    """Have dbt write its page, unless that of the same project is there; say whether it did.

    The page tells of the project and of the columns' types, which the contracts fix, and of
    nothing that changes from day to day. So the daily run is spared a start of dbt.

    Raises:
        DbtError: dbt failed.
    """
    page = home.docs_page
    stamp = home.docs_stamp
    wanted = project_hash()
    with _publishing:
        if page.exists() and stamp.exists() and stamp.read_text() == wanted:
            return False
        ensure_manifest(home)
        # What would be compiled tells the moment of this run, which the page outlives.
        run_dbt(home, "docs", "generate", "--static", "--no-compile", tell=DbtLines().write)
        write_atomically(page, home.dbt_page.read_text())
        write_atomically(stamp, wanted)
    return True


def publish_docs_ahead(home: Home) -> None:
    """Begin with `publish_docs` beside other steps; the step that is to do it waits for the end.

    From the end of a build on no step of a run opens the warehouse, which dbt reads.
    """

    def publish() -> None:
        # The step tries again, and tells.
        with suppress(DbtError, WarehouseHeldError, OSError):
            publish_docs(home)

    threading.Thread(target=publish, name="dbt docs").start()
