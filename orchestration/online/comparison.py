"""Where it is kept what the last comparison of online and offline features has found."""

from feature_repo.parity_report import ParityReport
from orchestration.home.state_files import StateFile
from serving.home import Home


def last_comparison(home: Home) -> StateFile[ParityReport]:
    """Tell where the figures of the last comparison are kept."""
    return StateFile(home.last_parity, ParityReport)
