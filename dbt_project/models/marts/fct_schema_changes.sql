with fields as (

    select * from {{ ref('stg_ledger__fields') }}

),

places as (

    {{ staged_lines('places') }}

),

-- The files that came together speak for their producer together.
landings as (

    select
        source,
        kind,
        landed_at,
        sum(documents) as documents,
        row_number() over (partition by source, kind order by landed_at) as landing_number
    from fields
    where path = ''
    group by source, kind, landed_at

),

landed_types as (

    select
        source,
        kind,
        path,
        json_type,
        landed_at,
        sum(documents) as documents
    from fields
    where path != ''
    group by source, kind, path, json_type, landed_at

),

landed_fields as (

    select
        landed_types.source,
        landed_types.kind,
        landed_types.path,
        landed_types.landed_at,
        landings.landing_number,
        sum(landed_types.documents) as documents,
        sum(landed_types.documents) / any_value(landings.documents) as document_share
    from landed_types
    inner join landings
        on
            landed_types.source = landings.source
            and landed_types.kind = landings.kind
            and landed_types.landed_at = landings.landed_at
    group by
        landed_types.source,
        landed_types.kind,
        landed_types.path,
        landed_types.landed_at,
        landings.landing_number

),

new_fields as (

    select
        source,
        kind,
        'new_field' as change_kind,
        path as field,
        null as new_value,
        landed_at,
        documents
    from landed_fields
    qualify
        row_number() over (partition by source, kind, path order by landing_number) = 1
        and landing_number > 1

),

changed_types as (

    select
        source,
        kind,
        'changed_type' as change_kind,
        path as field,
        json_type as new_value,
        landed_at,
        documents
    from landed_types
    -- No value, or an empty object, is no other type.
    where json_type not in ('NULL', 'JSON')
    qualify
        row_number() over (partition by source, kind, path, json_type order by landed_at) = 1
        and landed_at > min(landed_at) over (partition by source, kind, path)

),

vanished_fields as (

    select
        landed_fields.source,
        landed_fields.kind,
        'vanished_field' as change_kind,
        landed_fields.path as field,
        null as new_value,
        next_landings.landed_at,
        next_landings.documents
    from landed_fields
    inner join landings as next_landings
        on
            landed_fields.source = next_landings.source
            and landed_fields.kind = next_landings.kind
            and landed_fields.landing_number + 1 = next_landings.landing_number
    anti join landed_fields as next_fields
        on
            landed_fields.source = next_fields.source
            and landed_fields.kind = next_fields.kind
            and landed_fields.path = next_fields.path
            and landed_fields.landing_number + 1 = next_fields.landing_number
    where
        -- A field that only some documents ever had may be missing by chance.
        landed_fields.document_share >= 0.5
        and next_landings.documents >= {{ var('documents_to_miss_a_field') }}

),

categories as (

    select
        source,
        kind,
        unnest(category_codes) as category_code,
        landed_at
    from places
    where line_status = 'accepted' and known_at <= {{ as_of() }}

),

new_categories as (

    select
        source,
        kind,
        'new_category_code' as change_kind,
        null as field,
        category_code as new_value,
        min(landed_at) as landed_at,
        count(*) as documents
    from categories
    group by source, kind, category_code
    qualify min(landed_at) > min(min(landed_at)) over (partition by source, kind)

),

changes as (

    select * from new_fields
    union all
    select * from changed_types
    union all
    select * from vanished_fields
    union all
    select * from new_categories

),

final as (

    select
        ----------  ids
        source,
        kind,

        ----------  what changed
        change_kind,
        field,
        new_value,
        documents::bigint as documents,

        ----------  times
        landed_at,
        landed_at::date as landed_date
    from changes

)

select * from final
