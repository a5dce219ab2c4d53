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


{#- A name for them all. -#}
{% macro hash_of_excluded() -%}
    (select coalesce(md5(string_agg(excluded.user_id, ' ' order by excluded.user_id)), '') from ({{ excluded_people() }}) as excluded)
{%- endmacro %}


{#-
    Before each run, remember who is excluded in it. A build that was killed, or was of some models
    only, may have left rows that were made so, which nothing else tells.
-#}
{% macro note_excluded() -%}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- do run_query("create table if not exists state.tried_excluded (hash_of_excluded varchar)") -%}
        {%- do run_query("insert into state.tried_excluded select " ~ hash_of_excluded()) -%}
        {%- do adapter.commit() -%}
    {%- endif -%}
{%- endmacro %}


{#- Whether a build since the last whole one excluded others than this one does. -#}
{% macro others_were_excluded() -%}
    {%- set relation = adapter.get_relation(database=target.database, schema='state', identifier='tried_excluded') if execute else none -%}
    {%- if relation is none -%}
    false
    {%- else -%}
    exists (select 1 from {{ relation }} where hash_of_excluded != {{ hash_of_excluded() }})
    {%- endif -%}
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
        create or replace table state.last_excluded as {{ excluded_people() }};
        create or replace table state.tried_excluded (hash_of_excluded varchar)
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
