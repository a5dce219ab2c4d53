{#-
    The people who count in nothing as of the build: `excluded_people.csv` of the home, as
    plugins/tastemate_excluded.py reads it.
-#}
{% macro excluded_people() -%}
    select distinct listed.person.user_id as user_id
    from (select unnest(getvariable('excluded_people')) as person) as listed
    where
        listed.person.since <= {{ as_of() }}
        and coalesce({{ as_of() }} < listed.person.until, true)
{%- endmacro %}


{#- Those of the last whole build. -#}
{% macro excluded_before() -%}
    {%- set relation = adapter.get_relation(database=target.database, schema='state', identifier='last_excluded') if execute else none -%}
    {%- if relation is none -%}
    select null::varchar as user_id where false
    {%- else -%}
    select user_id from {{ relation }}
    {%- endif -%}
{%- endmacro %}


{#- After each run in which every model of the project was built, before that is remembered. -#}
{% macro remember_excluded() -%}
    {%- if execute and not flags.EMPTY and all_models_built(results) -%}
        create or replace table state.last_excluded as {{ excluded_people() }}
    {%- endif -%}
{%- endmacro %}


{#-
    Whose event it is and when it happened, of each event as the build before this one left it; for
    whoever has to know beforehand which of them a build will change.
-#}
{% macro events_before() -%}
    {%- set relation = adapter.get_relation(database=target.database, schema='marts', identifier='fct_events') if execute else none -%}
    {%- if relation is none or not extends_last_build() -%}
    select
        null::varchar as event_id,
        null::varchar as user_id,
        null::varchar as source,
        null::timestamptz as event_at
    where false
    {%- else -%}
    select
        event_id,
        user_id,
        source,
        event_at
    from {{ relation }}
    {%- endif -%}
{%- endmacro %}
