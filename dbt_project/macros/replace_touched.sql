{#-
    The incremental strategy of models that hold what each key now comes to: the rows of touched
    keys make room for those that the model gives for them, which may be none.

    unique_key       the column; rows of the model may share it, as the sessions of a user do
    meta.touched_in  the model that lists the touched keys, int_keys_touched where not stated
-#}
{% macro get_incremental_replace_touched_sql(arguments) -%}
    {%- set columns = get_quoted_csv(arguments.dest_columns | map(attribute='name')) -%}
    {%- set touched_in = config.get('meta', {}).get('touched_in', 'int_keys_touched') -%}
    delete from {{ arguments.target_relation }}
    where {{ is_among(arguments.unique_key, touched_in) }};

    insert into {{ arguments.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arguments.temp_relation }}
{%- endmacro %}


{#-
    A condition that, in an incremental build, leaves only what was touched; else all.

    When dbt parses the project it has to see on which model this depends.
-#}
{% macro is_touched(key_name, touched_in='int_keys_touched') -%}
    {%- if not execute -%}{%- do ref(touched_in) -%}{%- endif -%}
    {%- if is_incremental() -%}{{ is_among(key_name, touched_in) }}{%- else -%}true{%- endif -%}
{%- endmacro %}


{% macro is_among(key_name, touched_in) -%}
    {{ key_name }} in (
        select keys.touched_key
        from {{ ref(touched_in) }} as keys
        where keys.key_name = '{{ key_name }}'
    )
{%- endmacro %}
