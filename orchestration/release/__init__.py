"""From an evaluated model to what is live: release, index, bento, champion."""
