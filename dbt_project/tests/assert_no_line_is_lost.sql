-- Conservation: each line of a landed file is accepted, duplicate, quarantined or erased.
select *
from {{ ref('fct_landed_files') }}
where lines_in != accepted + duplicates + quarantined + erased
