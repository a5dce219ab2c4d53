{{ config(materialized='incremental', unique_key='file_id') }}

with files as (

    select * from {{ ref('stg_ledger__files') }}
    {% if is_incremental() %}
        where is_new
    {% endif %}

),

lines as (

    select * from {{ ref('int_lines_judged') }}
    {% if is_incremental() %}
        where file_id in (select files.file_id from files)
    {% endif %}

),

counted as (

    select
        file_id,
        count(*) filter (where line_status = 'accepted') as accepted,
        count(*) filter (where line_status = 'duplicate') as duplicates,
        count(*) filter (where line_status = 'quarantined') as quarantined,
        count(*) filter (where line_status = 'erased') as erased
    from lines
    group by file_id

),

final as (

    select
        ----------  ids
        files.file_id,
        files.source,
        files.kind,
        files.name,
        files.sha256,
        files.replays_file_id,

        ----------  counts
        files.bytes,
        files.lines_in,
        coalesce(counted.accepted, 0) as accepted,
        coalesce(counted.duplicates, 0) as duplicates,
        coalesce(counted.quarantined, 0) as quarantined,
        coalesce(counted.erased, 0) as erased,

        ----------  times
        files.landed_at,
        files.landed_date,

        ----------  flags
        files.is_backfill
    from files
    left join counted on files.file_id = counted.file_id

)

select * from final
