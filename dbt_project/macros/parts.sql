{#-
    A model that makes lists of all that a key has, which DuckDB cannot put on disk, is made in parts:
    `is_in_part` where it reads its events, `add_other_parts` as its post-hook. Memory is that of one
    part, however many events there are. Both of one transaction, so that no part is ever missing.
-#}

{#-
    A condition that leaves the first part of the keys; the more rows of *events* meet *condition*, the
    more parts. The comment marks it, since a model may test a hash for reasons of its own.
-#}
{% macro is_in_part(key_name, events, condition) -%}
    {%- set parts = 1 -%}
    {#- There are no events yet while dbt parses the project, and none to count in a unit test. -#}
    {%- if execute and this is not none and flags.WHICH in ('build', 'run') -%}
        {%- set counted = run_query("select count(*) // " ~ var('events_in_part') ~ " + 1 from " ~ events ~ " where " ~ condition) -%}
        {%- set parts = counted.columns[0].values()[0] -%}
    {%- endif -%}
    hash({{ key_name }}) % {{ parts }} = 0 /* is_in_part */
{%- endmacro %}


{#-
    Add what the model gives for the other parts, by its own compiled SQL, which also tells how many
    there are. A condition left as it was would lose rows, so one has to be found at each mark.
-#}
{% macro add_other_parts() -%}
    {%- if execute -%}
        {%- set condition = modules.re.compile('( % (\\d+) = )0( /\\* is_in_part \\*/)') -%}
        {%- set found = condition.findall(compiled_code) -%}
        {%- set expected = compiled_code.count('/* is_in_part */') -%}
        {%- set parts = found | map(attribute=1) | unique | list -%}
        {%- if parts | length != 1 or found | length != expected -%}
            {%- do exceptions.raise_compiler_error(
                this.identifier ~ " cannot be made in parts: its compiled SQL is marked /* is_in_part */ "
                ~ expected ~ " times, and a condition % N = 0 is found " ~ found | length ~ " times, with N = "
                ~ (parts | join(', ') or 'nothing') ~ ". Expected is one at each mark, at least one, and the same N in all."
            ) -%}
        {%- endif -%}
        {%- for part in range(1, parts[0] | int) -%}
            {%- do run_query("insert into " ~ this ~ " by name " ~ condition.sub('\\g<1>' ~ part ~ '\\g<3>', compiled_code)) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
