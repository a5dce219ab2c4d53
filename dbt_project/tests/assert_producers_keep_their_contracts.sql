-- What a producer has promised not to change, and changed all the same; see producer_contracts.
select *
from {{ ref('fct_schema_changes') }}
where
    {%- for contract in var('producer_contracts') %}
    (
        source = '{{ contract.source }}'
        and kind = '{{ contract.kind }}'
        and change_kind in ({% for change in contract.changes %}'{{ change }}'{{ ", " if not loop.last }}{% endfor %})
        and landed_date > date '{{ contract.after }}'
    )
    or
    {%- endfor %}
    false
