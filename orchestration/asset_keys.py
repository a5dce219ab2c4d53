"""The keys of the assets that are not dbt's: [group, noun]."""

import dagster as dg

LINES = dg.AssetKey(["raw", "lines"])
FILES = dg.AssetKey(["raw", "files"])
FIELDS = dg.AssetKey(["raw", "fields"])
FEATURE_MOMENTS = dg.AssetKey(["marts", "feature_moments"])
USER_FAVOR = dg.AssetKey(["features", "user_favor"])
PLACE = dg.AssetKey(["features", "place"])
REGISTRY = dg.AssetKey(["online", "registry"])
ONLINE_FEATURES = dg.AssetKey(["online", "features"])
TRAINING_SET = dg.AssetKey(["model", "training_set"])
RECOMMENDER = dg.AssetKey(["model", "recommender"])
EVALUATION = dg.AssetKey(["model", "evaluation"])
RELEASE = dg.AssetKey(["release", "release"])
INDEX = dg.AssetKey(["release", "index"])
BENTO = dg.AssetKey(["release", "bento"])
CHAMPION = dg.AssetKey(["release", "champion"])
PUBLISHED_STATE = dg.AssetKey(["delivery", "published_state"])
ANALYST_COPY = dg.AssetKey(["delivery", "analyst_copy"])
DBT_DOCS = dg.AssetKey(["delivery", "dbt_docs"])
EXPERIMENT_RECORDS = dg.AssetKey(["delivery", "experiment_records"])
RUN_REPORT = dg.AssetKey(["delivery", "run_report"])
