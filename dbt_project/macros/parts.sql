{#-
    A model that makes lists of all that a key has, which DuckDB cannot put on disk, is made in parts:
    `is_in_part` where it reads its events, `add_other_parts` as its post-hook. Memory is that of one
    part, however many events there are. Both of one transaction, so that no part is ever missing.
-#}

{#- A condition that leaves the first part of the keys; the more rows of *events* meet *condition*, the more parts. -#}
{% macro is_in_part(key_name, events, condition) -%}
    {%- set parts = 1 -%}
    {#- There are no events yet while dbt parses the project, and none to count in a unit test. -#}
    {%- if execute and this is not none and flags.WHICH in ('build', 'run') -%}
        {%- set counted = run_query("select count(*) // " ~ var('events_in_part') ~ " + 1 from " ~ events ~ " where " ~ condition) -%}
        {%- set parts = counted.columns[0].values()[0] -%}
    {%- endif -%}
    hash({{ key_name }}) % {{ parts }} = 0
{%- endmacro %}


{#- Add what the model gives for the other parts. How many there are is read in the model's own SQL. -#}
{% macro add_other_parts() -%}
    {%- set condition = modules.re.compile('(hash\\(\\w+\\) % (\\d+) = )0') -%}
    {%- set parts = condition.search(compiled_code).group(2) | int if execute else 1 -%}
    {%- for part in range(1, parts) -%}
        {%- do run_query("insert into " ~ this ~ " by name " ~ condition.sub('\\g<1>' ~ part, compiled_code)) -%}
    {%- endfor -%}
{%- endmacro %}
