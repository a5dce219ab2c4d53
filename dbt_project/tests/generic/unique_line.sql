{#- Every line of a file stands in the model once. -#}
{% test unique_line(model) %}

select
    file_id,
    line_number,
    count(*) as row_count
from {{ model }}
group by file_id, line_number
having count(*) > 1

{% endtest %}
