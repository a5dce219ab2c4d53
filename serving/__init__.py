"""The endpoint: reads features, runs the model, searches, filters and explains.

It knows nothing of Dagster, dbt and SQL.
"""
