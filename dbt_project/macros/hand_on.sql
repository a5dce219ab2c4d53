{#-
    Hand a finished model on as Parquet at HOME/FOLDER/MODEL.parquet.

    Run after the model's commit. DuckDB writes a temporary file and renames it, so that a
    reader sees the old file or the new one, also after a kill. dbt-duckdb's own `external`
    materialization is not used: it writes a row of NULLs where a model has no rows.
-#}
{% macro hand_on(folder) -%}
    {%- set home = env_var('TASTEMATE_HOME') | replace("'", "''") -%}
    copy (select * from {{ this }})
    to '{{ home }}/{{ folder }}/{{ this.identifier }}.parquet'
    (format parquet, compression zstd, use_tmp_file true)
{%- endmacro %}
