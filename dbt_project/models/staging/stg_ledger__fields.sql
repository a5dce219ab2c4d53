with source as (

    select * from {{ source('raw', 'fields') }}

),

files as (

    select * from {{ ref('stg_ledger__files') }}

),

final as (

    select
        ----------  ids
        files.source,
        files.kind,
        source.file_id,
        source.path,
        source.json_type,

        ----------  counts
        source.documents,

        ----------  times
        files.landed_at
    from source
    inner join files on source.file_id = files.file_id
    -- Replayed lines are of an older landing, and few.
    where files.replays_file_id is null

)

select * from final
