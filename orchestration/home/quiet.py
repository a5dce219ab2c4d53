"""Keeps the noise of libraries away from what a person reads; their errors still come through."""

import logging
import os
import warnings

# Loggers that announce what they do at INFO or warn of what is no concern of ours.
CHATTY = (
    "alembic",
    "bentoml",
    "dagster",
    "feast",
    "faiss",
    "h5py",
    "ibis",
    "numexpr",
    "transformers",
)


def hush() -> None:
    """Silence warnings and chatter, in this process and those it starts."""
    warnings.simplefilter("ignore")
    os.environ["PYTHONWARNINGS"] = "ignore"
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.ERROR)
    # Its only error is a connection that Ctrl-C kept from being tidied away.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
