"""The names of the jobs, for whoever meets their runs without knowing what they are made of."""

LAND, REFRESH, DAILY = "land", "refresh", "daily"
