{#-
    The last whole build: which files it had, as of when, made by which project.

    Kept in the warehouse as state.last_build, one row per file, written in one statement when
    every model of the project has been built. An incremental build redoes what the last whole
    build did not have; one that was killed, or was of some models only, leaves no record, so that
    the next redoes its part.
-#}
{% macro last_build() -%}
    {%- do return(adapter.get_relation(database=target.database, schema='state', identifier='last_build')) -%}
{%- endmacro %}


{#- Whether this build adds to the last whole one, rather than make everything anew. -#}
{% macro extends_last_build() -%}
    {%- do return(execute and not flags.FULL_REFRESH and last_build() is not none) -%}
{%- endmacro %}


{#- dbt's own question of every incremental model; without a last build there is nothing to add to. -#}
{% macro should_full_refresh() -%}
    {%- do return(config.get('full_refresh', false) or not extends_last_build()) -%}
{%- endmacro %}


{#- dbt's own macro, which fails in a unit test, where there is no table to add to. -#}
{% macro is_incremental() -%}
    {%- do return(execute and this is not none and dbt.is_incremental()) -%}
{%- endmacro %}


{#-
    Forget the last build where adding to it would not give what a full refresh gives. Before each run.
-#}
{% macro forget_stale_build() -%}
    {%- set last = last_build() -%}
    {%- if execute and last is none -%}
        {%- do say_of_build("Everything is built anew: there is no whole build to add to.") -%}
    {%- elif execute -%}
        {%- set why = run_query(why_stale(last)).columns[0].values()[0] -%}
        {%- if why -%}
            {%- do log("Everything is built anew: " ~ why, info=true) -%}
            {%- do adapter.drop_relation(last) -%}
            {%- do adapter.commit() -%}
        {%- else -%}
            {%- do say_of_build("The build adds to the last whole one.") -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{% macro say_of_build(text) -%}
    {%- if flags.WHICH in ('build', 'run') -%}{%- do log(text, info=true) -%}{%- endif -%}
{%- endmacro %}


{% macro why_stale(last) -%}
    with known as (

        select
            file_id,
            landed_at,
            coalesce(mapping, '') as mapping
        from {{ source('raw', 'files') }}
        where is_backfill or landed_at <= {{ as_of() }}

    )

    select
        case
            when {{ flags.FULL_REFRESH }} then 'a full refresh was asked for.'
            when {{ flags.EMPTY or false }} then 'a build without rows was asked for.'
            when (select max(as_of) from {{ last }}) > {{ as_of() }}
                then 'the last build was of a later moment.'
            when (select max(made_by) from {{ last }}) != {{ made_by() }}
                then 'the models, the settings or the version of DuckDB are others.'
            when exists (from {{ last }} anti join known using (file_id, landed_at, mapping))
                then 'a file of the last build is gone from the ledger, or has another mapping.'
            when
                exists (
                    from known
                    anti join {{ last }} using (file_id)
                    where (landed_at, file_id) < (select max((landed_at, file_id)) from {{ last }})
                )
                then 'a file landed before others that have been built.'
            when {{ others_were_excluded() }}
                then 'other people were excluded in a build that did not make everything.'
        end as why
{%- endmacro %}


{#- Remember a build if all models of the project were part of it. After each run. -#}
{% macro remember_build() -%}
    {%- if execute and not flags.EMPTY and all_models_built(results) -%}
        create or replace table state.last_build as
        select
            file_id,
            landed_at,
            coalesce(mapping, '') as mapping,
            as_of,
            (select max(as_of) from marts.feature_moments where purpose = 'cutoff') as cutoff_at,
            {{ made_by() }} as made_by
        from staging.stg_ledger__files
    {%- endif -%}
{%- endmacro %}


{#-
    Leave in the home what made what is there, by whatever dbt run: whoever compares it with what
    was published reads it without opening the warehouse.
-#}
{% macro leave_made_by() -%}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- set home = env_var('TASTEMATE_HOME') | replace("'", "''") -%}
        {%- set told = invocation_args_dict.get('vars') or {} -%}
        copy (
            select concat_ws(
                ' ', {{ made_by() }}, 'variables {{ tojson(told, sort_keys=true) | replace("'", "''") }}',
                {% if flags.EMPTY or flags.SAMPLE %}'without all rows'{% else %}'with all rows'{% endif %}
            )
        )
        to '{{ home }}/dbt/made_by.csv' (header false, use_tmp_file true)
    {%- endif -%}
{%- endmacro %}


{% macro all_models_built(results) -%}
    {%- set built = results | selectattr('status', 'equalto', 'success') | map(attribute='node.unique_id') | list -%}
    {%- set models = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | map(attribute='unique_id') | list -%}
    {%- do return(models | reject('in', built) | list | length == 0) -%}
{%- endmacro %}


{#-
    What decides, beside the files, what incremental models hold: their SQL and that of all that they
    read, macros and settings (plugins/tastemate_fingerprint.py), variables, DuckDB. Other models
    are made anew by every build, and may change as they like.
-#}
{% macro made_by() -%}
    concat_ws(
        ' ', version(), getvariable('project_fingerprint'), '{{ checksums_of_incremental() }}',
        {{ var('events_in_favor') }}, {{ var('displays_in_favor') }}, {{ var('session_gap_minutes') }}
    )
{%- endmacro %}


{% macro checksums_of_incremental() -%}
    {%- set reached = graph.nodes.values() | selectattr('config.materialized', 'equalto', 'incremental') | map(attribute='unique_id') | list -%}
    {%- set checksums = [] -%}
    {#- The list grows while it is walked, by what each model reads. -#}
    {%- for unique_id in reached if unique_id in graph.nodes -%}
        {%- do checksums.append(graph.nodes[unique_id].checksum.checksum) -%}
        {%- for parent in graph.nodes[unique_id].depends_on.nodes if parent not in reached -%}
            {%- do reached.append(parent) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- local_md5(checksums | sort | join) -}}
{%- endmacro %}
