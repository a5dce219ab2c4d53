"""The model: from a folder of histories to weights that score places and embed people.

It knows tensors and Parquet, and neither Feast, dbt, Dagster nor BentoML.
"""
