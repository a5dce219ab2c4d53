"""What tests of all folders share."""

import os
import shutil

import pytest

# Colours, telemetry and the environment of whoever runs the tests change nothing.
for name in ("TASTEMATE_HOME", "TASTEMATE_ONLINE", "TASTEMATE_KEYS", "TASTEMATE_NOW"):
    os.environ.pop(name, None)


@pytest.fixture(scope="session")
def needs_command():
    """Skip a test whose service is not installed; fail it where everything is required."""

    def need(command: str) -> str:
        found = shutil.which(command)
        if found is None:
            message = (
                f"{command} is not installed, so this was not run. Install it: apt-get install"
            )
            if os.environ.get("TASTEMATE_REQUIRE") == "all":
                pytest.fail(message)
            pytest.skip(message)
        return found

    return need
