"""Feast's objects, made from dbt's YAML: the one module that stock `feast apply` reads.

Nothing is declared here: a feature is added in `dbt_project/models/features/` and appears. What
may go online is held by `features.lock.json`; a difference stops the import, and so every apply.
"""

import os
from pathlib import Path

from feature_repo import lock, objects
from feature_repo.contract import read_views
from feature_repo.layout import Layout
from feature_repo.settings import quiet_feast

quiet_feast()
_HOME_ROOT = Layout.around(Path(os.environ["FEAST_FS_YAML_FILE_PATH"])).root
_VIEWS = read_views(_HOME_ROOT)
lock.require(_VIEWS, Path(__file__).with_name("features.lock.json"))

# Feast collects what stands at module level, by identity: each object gets a name of its own.
globals().update(objects.by_name(_HOME_ROOT, _VIEWS))
