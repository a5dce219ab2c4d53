"""dbt's build as assets, and what is asked of the tables it makes."""
